package openairesponses_test

import (
	"testing"

	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
	"github.com/weir-gateway/weir/codec/openairesponses"
	"github.com/weir-gateway/weir/weirtest"
)

func TestContract(t *testing.T) { weirtest.TestCodec(t, openairesponses.New()) }

func TestChatIntoResponses(t *testing.T) {
	weirtest.TestCross(t, openaichat.New(), openairesponses.New())
}

func TestResponsesIntoChat(t *testing.T) {
	weirtest.TestCross(t, openairesponses.New(), openaichat.New())
}

func TestMessagesIntoResponses(t *testing.T) {
	weirtest.TestCross(t, anthropic.New(), openairesponses.New())
}

func TestResponsesIntoMessages(t *testing.T) {
	weirtest.TestCross(t, openairesponses.New(), anthropic.New())
}
