package codec

import (
	"slices"
	"strings"

	"github.com/weir-gateway/weir"
)

// KindNamed is the kind of that name, as in Quirks.ErrorCodes.
func KindNamed(name string) (weir.Kind, bool) {
	for k := weir.KindInternal; k <= weir.KindCanceled; k++ {
		if k.String() == name {
			return k, true
		}
	}
	return weir.KindInternal, false
}

// kind decides what went wrong. Precedence: the vendor's quirks, the vendor's
// codes, what the text says, the status.
func (s *said) kind(status int, q *Quirks) weir.Kind {
	if k, ok := s.byQuirks(q); ok {
		return k
	}
	if status < 400 && s.status != 0 {
		status = s.status // an error in 200 that gives its true status
	}
	if status == 451 {
		return weir.KindContentFilter
	}
	if k, ok := s.byCode(status); ok {
		return k
	}
	if k, ok := s.byWording(status); ok {
		return k
	}
	if k, ok := typeKinds[strings.ToLower(s.typ)]; ok && (status < 400 || status == 400 || status >= 500) {
		return k
	}
	if k, ok := rpcKinds[s.rpc]; ok && status < 400 {
		return k
	}
	return weir.KindOfStatus(status)
}

func (s *said) byQuirks(q *Quirks) (weir.Kind, bool) {
	if q == nil {
		return 0, false
	}
	for _, name := range []string{s.code, s.typ, s.rpc} {
		if k, ok := KindNamed(q.ErrorCodes[name]); ok && name != "" {
			return k, true
		}
	}
	return 0, false
}

// byCode reads codes, which are the vendors' exact words.
func (s *said) byCode(status int) (weir.Kind, bool) {
	var table map[string]weir.Kind
	switch s.shape {
	case shapeBaseResp:
		table = minimaxCodes
	case shapeErrorCode:
		table = baiduCodes
	case shapeFlat:
		table = flatCodes
	default:
		table = glmCodes
	}
	if k, ok := table[s.code]; ok {
		return k, true
	}
	for _, name := range []string{s.code, s.typ} {
		name, _, _ = strings.Cut(strings.ToLower(name), "(")
		k, ok := codeKinds[name]
		if !ok {
			k, ok = prefixKind(name)
		}
		// A limit on the size of one request is not cured by waiting (E-08).
		if ok && (status != 413 || k != weir.KindRateLimit) {
			return k, true
		}
	}
	return 0, false
}

// prefixKind reads codes with a changing rest: "RateLimitExceeded.EndpointRPM…".
func prefixKind(code string) (weir.Kind, bool) {
	for _, p := range codePrefixes {
		if strings.HasPrefix(code, p.prefix) {
			return p.kind, true
		}
	}
	return 0, false
}

// byWording reads the text, for the vendors that say nothing finer than 400.
func (s *said) byWording(status int) (weir.Kind, bool) {
	all := strings.ToLower(s.message + " " + s.code + " " + s.typ + " " + s.raw)
	has := func(phrases []string) bool {
		return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(all, p) })
	}
	switch {
	case s.typ == "not_found_error" && strings.HasPrefix(s.message, "model:"): // Anthropic
		return weir.KindModelNotFound, true
	case status == 401 || status == 404 && !has(modelWords):
		return 0, false
	case status == 429:
		if s.rpc == "RESOURCE_EXHAUSTED" && !strings.Contains(all, "perday") {
			return weir.KindRateLimit, true // Gemini says "quota" of limits by the minute too
		}
		if has(quotaWords) {
			return weir.KindQuota, true
		}
		return 0, false
	case status == 413:
		return 0, false
	case has(contextWords):
		return weir.KindContextLength, true
	case has(filterWords):
		return weir.KindContentFilter, true
	case has(quotaWords) && status != 403:
		return weir.KindQuota, true
	case has(keyWords):
		return weir.KindUpstreamAuth, true
	case has(modelWords):
		return weir.KindModelNotFound, true
	case has(overloadWords):
		return weir.KindOverloaded, true
	}
	return 0, false
}
