package catalog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weir-gateway/weir"
)

// A problem is one thing that is wrong with the data.
type problem struct {
	file    string
	path    string // "models[3].prices[0].input"
	message string
}

func (p problem) String() string {
	var b strings.Builder
	for _, part := range []string{p.file, p.path} {
		if part != "" {
			b.WriteString(part)
			b.WriteString(": ")
		}
	}
	b.WriteString(p.message)
	return b.String()
}

// problems gathers all that is wrong, so that a user mends a file in one go.
type problems []problem

// Error lists the problems, one a line.
func (ps problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

func (ps *problems) add(file, path, format string, args ...any) {
	*ps = append(*ps, problem{file, path, fmt.Sprintf(format, args...)})
}

// at adds a problem of a path.
func (ps *problems) at(path, format string, args ...any) { ps.add("", path, format, args...) }

// addAll takes over the problems of err, which are those of a file.
func (ps *problems) addAll(file string, err error) {
	var list problems
	ok := errors.As(err, &list)
	if !ok {
		if err != nil {
			ps.add(file, "", "%v", err)
		}
		return
	}
	for _, p := range list {
		if p.file == "" {
			p.file = file
		}
		*ps = append(*ps, p)
	}
}

// asError is nil when there is no problem.
func (ps problems) asError() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

func invalid(ps ...problem) error {
	e := weir.Invalid(ps[0].path, "the catalogue is not valid")
	e.Message = "the catalogue is not valid: " + problems(ps).Error()
	e.Err = problems(ps)
	return e
}
