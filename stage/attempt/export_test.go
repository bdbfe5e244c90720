package attempt

import "time"

// WaitOf is the wait of a policy before the n-th retry.
func WaitOf(p Policy, n int) time.Duration { return p.wait(n) }

// CutPrefill is cutPrefill.
func CutPrefill(text string) (sent, rest string) { return cutPrefill(text) }
