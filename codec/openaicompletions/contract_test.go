package openaicompletions_test

import (
	"testing"

	"github.com/weir-gateway/weir/codec"
	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/codec/openaicompletions"
	"github.com/weir-gateway/weir/weirtest"
)

func TestContract(t *testing.T) { weirtest.TestCodec(t, openaicompletions.New()) }

func FuzzAnswers(f *testing.F) { weirtest.FuzzAnswers(f, openaicompletions.New()) }

// An answer keeps its meaning on the way to and from the protocols of
// conversations, but for what a text cannot say; a request that would become
// nonsense there is refused. // P-01, P-04
func TestCross(t *testing.T) {
	for _, other := range []codec.Codec{openaichat.New(), anthropic.New()} {
		t.Run("into "+string(other.Protocol()), func(t *testing.T) { weirtest.TestCross(t, openaicompletions.New(), other) })
		t.Run("from "+string(other.Protocol()), func(t *testing.T) { weirtest.TestCross(t, other, openaicompletions.New()) })
	}
}
