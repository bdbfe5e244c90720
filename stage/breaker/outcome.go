package breaker

import "github.com/weir-gateway/weir"

// An outcome is what the end of a call says about the deployment.
type outcome uint8

const (
	neutral outcome = iota // nothing
	good                   // it works
	failed                 // it does not
	denied                 // its key, account or model is at fault: a failure while nothing else is heard
)

// judge is what an error says about the deployment that it came from.
func judge(err *weir.Error) outcome {
	switch err.Kind {
	case weir.KindUpstream, weir.KindTimeout, weir.KindOverloaded, weir.KindUnavailable:
		return failed
	case weir.KindInternal:
		if err.IsUpstream() { // else it is Weir that broke
			return failed
		}
	case weir.KindUpstreamAuth, weir.KindQuota:
		return denied
	case weir.KindPermission, weir.KindModelNotFound:
		if err.IsUpstream() {
			return denied
		}
	}
	return neutral
}
