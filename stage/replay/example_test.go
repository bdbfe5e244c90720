package replay_test

import (
	"context"
	"fmt"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/replay"
)

// A client that cannot carry reasoning, and a model that wants it back.
func Example() {
	model := &upstream{answer: answers(thinks("I should look it up."), calls("call_8f4cf23b21"))}
	h := replay.New(replay.Options{
		Provider: "deepseek", Deployment: "deepseek/deepseek-chat",
		Needs: replay.Text, Store: replay.NewMemory(replay.MemoryOptions{}),
	})(model)

	first, _ := weir.Collect(h.Handle(context.Background(), asks("me", weir.UserText("What is it?"))))
	call := first.ToolCalls()[0]
	_, _ = weir.Collect(h.Handle(context.Background(), asks("me",
		weir.UserText("What is it?"),
		weir.Message{Role: weir.RoleAssistant, Blocks: []weir.Block{{Type: weir.BlockToolCall, Call: call}}},
		weir.ToolResultText(call.ID, "a weir"),
	)))

	sent, _ := model.got.Load().Body()
	fmt.Println(sent.Messages[1].Blocks[0].Text)
	// Output: I should look it up.
}
