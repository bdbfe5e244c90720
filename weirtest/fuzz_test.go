package weirtest

import (
	"testing"

	"github.com/weir-gateway/weir/codec/anthropic"
	"github.com/weir-gateway/weir/codec/openaichat"
)

func FuzzChatAnswers(f *testing.F)      { FuzzAnswers(f, openaichat.New()) }
func FuzzChatRequests(f *testing.F)     { FuzzRequests(f, openaichat.New()) }
func FuzzMessagesAnswers(f *testing.F)  { FuzzAnswers(f, anthropic.New()) }
func FuzzMessagesRequests(f *testing.F) { FuzzRequests(f, anthropic.New()) }
