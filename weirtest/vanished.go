package weirtest

import (
	"strings"

	"github.com/weir-gateway/weir"
)

// vanished are the facts of before that are neither in after nor reported as a
// loss.
func vanished(before, after *facts, losses []weir.Loss) []fact {
	have := map[string]int{}
	for _, f := range after.list {
		have[f.class+"\x00"+f.value]++
	}
	var out []fact
	for _, f := range before.list {
		key := f.class + "\x00" + f.value
		if have[key] > 0 {
			have[key]--
			continue
		}
		if after.says(f) || reported(f, losses) {
			continue
		}
		out = append(out, f)
	}
	return out
}

// says reports whether a text is part of what the same speaker says: how texts
// are cut into blocks and messages is not part of their meaning.
func (f *facts) says(x fact) bool {
	who, ok := strings.CutPrefix(x.class, "text of ")
	if x.class == "reasoning" {
		who, ok = x.class, true
	}
	return ok && strings.Contains(f.text[who], strings.TrimSpace(x.value))
}

// reported reports whether a loss names the fact, or says that all of what it
// stood in was left out.
func reported(f fact, losses []weir.Loss) bool {
	for _, l := range losses {
		for _, hints := range f.hints {
			if containsAll(l.Field, hints) || l.Action == weir.LossDropped && l.Field == hints[0] {
				return true
			}
		}
	}
	return false
}

// containsAll reports whether s has every part; a part may be several
// alternatives with "|" between them.
func containsAll(s string, parts []string) bool {
	for _, p := range parts {
		found := false
		for alt := range strings.SplitSeq(p, "|") {
			found = found || strings.Contains(s, alt)
		}
		if !found {
			return false
		}
	}
	return true
}
