package converse_test

import (
	"testing"

	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/converse"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/weirtest"
)

func TestCodec(t *testing.T) { weirtest.TestCodec(t, converse.New()) }

func TestCross(t *testing.T) {
	t.Run("converse to chat", func(t *testing.T) { weirtest.TestCross(t, converse.New(), openaichat.New()) })
	t.Run("chat to converse", func(t *testing.T) { weirtest.TestCross(t, openaichat.New(), converse.New()) })
	t.Run("converse to messages", func(t *testing.T) { weirtest.TestCross(t, converse.New(), anthropic.New()) })
	t.Run("messages to converse", func(t *testing.T) { weirtest.TestCross(t, anthropic.New(), converse.New()) })
}

func FuzzAnswers(f *testing.F) { weirtest.FuzzAnswers(f, converse.New()) }
