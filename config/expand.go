package config

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Lookup finds an environment variable, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

var reference = regexp.MustCompile(`\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)

// expand replaces ${NAME} and ${NAME:-default}; $$ is a dollar sign.
func expand(s string, lookup Lookup) (string, error) {
	if !strings.Contains(s, "$") {
		return s, nil
	}
	var missing []string
	out := reference.ReplaceAllStringFunc(s, func(m string) string {
		if m == "$$" {
			return "$"
		}
		part := reference.FindStringSubmatch(m)
		if v, ok := lookup(part[1]); ok && (v != "" || part[2] == "") {
			return v
		}
		if part[2] == "" {
			missing = append(missing, part[1])
		}
		return part[3]
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("the environment has no %s", strings.Join(missing, ", "))
	}
	return out, nil
}

// readSecret resolves file:/path; anything else is the secret itself.
func readSecret(s string) (Secret, error) {
	path, ok := strings.CutPrefix(s, "file:")
	if !ok {
		return Secret(strings.TrimSpace(s)), nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	return Secret(strings.TrimSpace(string(data))), nil
}
