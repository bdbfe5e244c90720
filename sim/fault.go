package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Fault is what goes wrong with one answer. It is written as words with ";"
// between them: "status=503;retry-after=2;times=2", "comments=1;slow=100ms;cut=after:5".
// A bare number is a status: "503". N counts the frames of a stream that have
// been sent, and bytes of an answer that is not streamed.
//
//	status=N          answer with this status and an error body
//	retry-after=V     send Retry-After: V (seconds or a date) with the status
//	body=B            of the status: "protocol" (the default), "html", "json" (an unknown shape), "empty"
//	times=N           play for the first N requests only, then answer well
//	delay=D           wait before the status line
//	stall=headers     never answer; stall=after:N goes silent with the socket open
//	reset=before      reset the connection (TCP RST) instead of answering; reset=after:N during the answer
//	cut=after:N       end the answer early, as a well-formed HTTP body; cut=mid-frame inside the second frame of content
//	drop=after:N      close the connection in the middle of the HTTP body
//	error=after:N     send the protocol's error event, and end
//	malformed=frame   send a frame of broken JSON, and end; malformed=json a whole body of broken JSON
//	error-in-200      send an error body with status 200
//	choices-empty=N   send N frames without content first (Chat: empty choices; 1 without a number)
//	big-line=SIZE     make the first piece of text SIZE bytes long ("300k", "2m")
//	html, empty       status 200 with an HTML page, with nothing
//	comments=N        send N comment lines before every frame (1 without a number)
//	no-done           leave out the frame that ends the stream
//	usage=WHERE       "finish": with the finish reason, "never", "every": in every frame
//	slow=D            wait before every frame
//	trickle           send byte by byte
type Fault struct {
	Status       int
	RetryAfter   string
	Body         string
	Times        int
	Delay        time.Duration
	Stall        Point
	Reset        Point
	Cut          Point
	Drop         Point
	ErrorAfter   Point
	Malformed    string
	ErrorIn200   bool
	ChoicesEmpty int
	BigLine      int
	HTML         bool
	Empty        bool
	Comments     int
	NoDone       bool
	Usage        string
	Slow         time.Duration
	Trickle      bool

	text string
}

// A Point is where in an answer something happens.
type Point struct {
	Set bool
	// After is how much has been sent by then; Before is ahead of the status
	// line, Middle inside of a frame.
	After  int
	Before bool
	Middle bool
}

// at reports whether the point has come when n frames or bytes have been sent.
func (p Point) at(n int) bool { return p.Set && !p.Before && !p.Middle && n >= p.After }

// String is the fault as it was written.
func (f *Fault) String() string { return f.text }

// faultWords are the known words, in the order of the documentation.
var faultWords = []string{
	"status", "retry-after", "body", "times", "delay", "stall", "reset", "cut", "drop", "error", "malformed",
	"error-in-200", "choices-empty", "big-line", "html", "empty", "comments", "no-done", "usage", "slow", "trickle",
}

// ParseFault reads a fault. An error names the word at fault and, for an
// unknown one, lists those that are known.
func ParseFault(text string) (*Fault, error) {
	f := &Fault{text: text}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ';' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(word), "=")
		if name == "" {
			continue
		}
		if _, err := strconv.Atoi(name); err == nil {
			name, value = "status", name
		}
		if err := f.set(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *Fault) set(name, value string) (err error) {
	switch name {
	case "status":
		f.Status, err = number(name, value, 200, 599)
	case "retry-after":
		f.RetryAfter = value
	case "body":
		f.Body, err = oneOf(name, value, "protocol", "html", "json", "empty")
	case "times":
		f.Times, err = number(name, value, 1, 1<<30)
	case "delay":
		f.Delay, err = duration(name, value)
	case "slow":
		f.Slow, err = duration(name, value)
	case "stall":
		f.Stall, err = point(name, value, "headers")
	case "reset":
		f.Reset, err = point(name, value, "before")
	case "cut":
		f.Cut, err = point(name, value, "mid-frame")
	case "drop":
		f.Drop, err = point(name, value, "")
	case "error":
		f.ErrorAfter, err = point(name, value, "")
	case "malformed":
		f.Malformed, err = oneOf(name, value, "frame", "json")
	case "usage":
		f.Usage, err = oneOf(name, value, "finish", "never", "every")
	case "big-line":
		f.BigLine, err = size(name, value)
	case "choices-empty":
		f.ChoicesEmpty, err = count(name, value)
	case "comments":
		f.Comments, err = count(name, value)
	default:
		return f.flag(name, value)
	}
	return err
}

// flag sets a word that has no value.
func (f *Fault) flag(name, value string) error {
	flags := map[string]*bool{
		"error-in-200": &f.ErrorIn200, "html": &f.HTML, "empty": &f.Empty, "no-done": &f.NoDone, "trickle": &f.Trickle,
	}
	p, ok := flags[name]
	switch {
	case !ok:
		return fmt.Errorf("unknown fault word %q; the known ones are %s", name, strings.Join(faultWords, ", "))
	case value != "":
		return fmt.Errorf("fault word %q takes no value", name)
	}
	*p = true
	return nil
}

func number(name, value string, low, high int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("fault word %q needs a number from %d to %d", name, low, high)
	}
	return n, nil
}

// count is a number that is 1 when it is not said.
func count(name, value string) (int, error) {
	if value == "" {
		return 1, nil
	}
	return number(name, value, 1, 1<<20)
}

func duration(name, value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("fault word %q needs a duration such as 100ms", name)
	}
	return d, nil
}

func oneOf(name, value string, known ...string) (string, error) {
	if !slices.Contains(known, value) {
		return "", fmt.Errorf("fault word %q needs one of %s", name, strings.Join(known, ", "))
	}
	return value, nil
}

// maxBigLine bounds what one request can make the simulator hold.
const maxBigLine = 256 << 20

// size reads a number of bytes, with k or m for 1024 of the smaller unit.
func size(name, value string) (int, error) {
	unit := 1
	digits := strings.ToLower(value)
	switch {
	case strings.HasSuffix(digits, "k"):
		unit, digits = 1<<10, digits[:len(digits)-1]
	case strings.HasSuffix(digits, "m"):
		unit, digits = 1<<20, digits[:len(digits)-1]
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > maxBigLine/unit {
		return 0, fmt.Errorf("fault word %q needs a size such as 300k or 2m, up to 256m", name)
	}
	return n * unit, nil
}

// point reads "after:N" or the word given.
func point(name, value, word string) (Point, error) {
	if word != "" && value == word {
		return Point{Set: true, Before: word != "mid-frame", Middle: word == "mid-frame"}, nil
	}
	if digits, ok := strings.CutPrefix(value, "after:"); ok {
		if n, err := strconv.Atoi(digits); err == nil && n >= 0 {
			return Point{Set: true, After: n}, nil
		}
	}
	if word != "" {
		return Point{}, fmt.Errorf("fault word %q needs %s or after:N", name, word)
	}
	return Point{}, fmt.Errorf("fault word %q needs after:N", name)
}
