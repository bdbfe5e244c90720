package route

import "github.com/weir-gateway/weir"

// Allowed reports whether p may use a model or deployment of that name. In the
// names and globs of Principal.Models "*" stands for any characters, "/"
// included, and "?" for one. Nobody in particular, and a Principal without
// Models, may use all.
func Allowed(p *weir.Principal, name string) bool {
	if p == nil || len(p.Models) == 0 {
		return true
	}
	for _, glob := range p.Models {
		if match(glob, name) {
			return true
		}
	}
	return false
}

// permitted reports whether p may use what name stands for: the name itself is
// granted, or every deployment behind it, since a fallback must not lead to
// what was not granted.
func permitted(p *weir.Principal, name string, deployments []weir.Deployment) bool {
	if Allowed(p, name) {
		return true
	}
	for i := range deployments {
		if !Allowed(p, deployments[i].Name) {
			return false
		}
	}
	return len(deployments) > 0
}

// match reports whether the whole of s matches glob. It goes back to the last
// star only, so that no glob is exponential.
func match(glob, s string) bool {
	g, i, star, from := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case g < len(glob) && glob[g] == '*':
			star, from = g, i
			g++
		case g < len(glob) && (glob[g] == '?' || glob[g] == s[i]):
			g++
			i++
		case star >= 0:
			from++
			g, i = star+1, from
		default:
			return false
		}
	}
	for g < len(glob) && glob[g] == '*' {
		g++
	}
	return g == len(glob)
}
