package thread_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/thread"
)

func mustCreate(t *testing.T, k *thread.Keeper, tenant string, messages ...weir.Message) string {
	t.Helper()
	c, err := k.Conversations().Create(t.Context(), tenant, []weir.Pair{{Key: "topic", Value: "demo"}}, thread.SplitItems(messages))
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

func TestConversationGrowsWithItsTurns(t *testing.T) {
	k, m := newKeeper(), &model{}
	h := stand(k, m)
	id := mustCreate(t, k, "", weir.UserText("I am Ada"))
	one := mustAnswer(t, h, says("who am I?").told("be brief").within(id))
	if got, want := m.said(), []string{"be brief", "I am Ada", "who am I?"}; !slices.Equal(got, want) {
		t.Errorf("the upstream was told %q", got)
	}
	two := mustAnswer(t, h, says("really?").within(id).store(false))
	if got, want := m.said(), []string{"I am Ada", "who am I?", one.Text(), "really?"}; !slices.Equal(got, want) {
		t.Errorf("the upstream was told %q", got)
	}
	if two.kept != nil {
		t.Error("a response that is not to be stored was")
	}
	items, _, err := k.Conversations().Items(t.Context(), "", id, thread.Page{})
	if err != nil || len(items) != 5 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	// A response of a conversation knows what stood before it, not what came after.
	mustAnswer(t, h, says("and you?").after(one.Start.ID))
	if got, want := m.said(), []string{"I am Ada", "who am I?", one.Text(), "and you?"}; !slices.Equal(got, want) {
		t.Errorf("the upstream was told %q", got)
	}
	if err := k.Conversations().Delete(t.Context(), "", id); err != nil {
		t.Fatal(err)
	}
	if out := answerTo(t.Context(), h, says("x").within(id)); out.err == nil || out.err.HTTPStatus(weir.OpenAIResponses) != 404 {
		t.Errorf("a deleted conversation: %v", out.err)
	}
	if out := answerTo(t.Context(), h, says("x").after(one.Start.ID)); out.err == nil || out.err.Code != "previous_response_not_found" {
		t.Errorf("a response of a deleted conversation: %v", out.err)
	}
}

func TestConversationOfAnotherKey(t *testing.T) {
	k := newKeeper()
	c := k.Conversations()
	id := mustCreate(t, k, "a", weir.UserText("secret"))
	item := first(t, c, "a", id).ID
	_, get := c.Get(t.Context(), "b", id)
	_, set := c.SetMetadata(t.Context(), "b", id, nil)
	_, add := c.Add(t.Context(), "b", id, thread.SplitItems([]weir.Message{weir.UserText("x")}))
	_, _, list := c.Items(t.Context(), "b", id, thread.Page{})
	_, one := c.Item(t.Context(), "b", id, item)
	del := c.DeleteItem(t.Context(), "b", id, item)
	gone := c.Delete(t.Context(), "b", id)
	use := answerTo(t.Context(), stand(k, &model{}), says("x").by("b").within(id)).err
	for name, err := range map[string]error{"get": get, "set": set, "add": add, "list": list, "item": one, "delete item": del, "delete": gone, "use": use} {
		if !errors.Is(err, weir.KindNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := first(t, c, "a", id); got.ID != item {
		t.Error("it was changed")
	}
}

func first(t *testing.T, c *thread.Conversations, tenant, id string) thread.Item {
	t.Helper()
	items, _, err := c.Items(t.Context(), tenant, id, thread.Page{Limit: 1})
	if err != nil || len(items) != 1 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	return items[0]
}

func TestConversationItems(t *testing.T) {
	k := newKeeper()
	c := k.Conversations()
	id := mustCreate(t, k, "")
	turn := weir.Message{Role: weir.RoleAssistant, Blocks: []weir.Block{
		{Type: weir.BlockReasoning, Text: "hm"}, {Type: weir.BlockText, Text: "yes"}, {Type: weir.BlockToolCall, Call: &weir.ToolCall{ID: "c"}},
	}}
	items := thread.SplitItems([]weir.Message{weir.UserText("q"), turn})
	items[0].Raw = []byte(`{"role":"user"}`)
	added, err := c.Add(t.Context(), "", id, items)
	if err != nil || len(added) != 4 || items[0].ID != "" {
		t.Fatalf("%+v, %v", added, err)
	}
	for i, prefix := range []string{"msg_", "rs_", "msg_", "fc_"} {
		if !strings.HasPrefix(added[i].ID, prefix) {
			t.Errorf("item %d is called %s", i, added[i].ID)
		}
	}
	if it, err := c.Item(t.Context(), "", id, added[0].ID); err != nil || string(it.Raw) != `{"role":"user"}` {
		t.Errorf("item %+v, %v", it, err)
	}
	page, more, err := c.Items(t.Context(), "", id, thread.Page{Limit: 2, Descending: true})
	if err != nil || !more || len(page) != 2 || page[0].ID != added[3].ID {
		t.Errorf("page %+v, %t, %v", page, more, err)
	}
	if _, _, err := c.Items(t.Context(), "", id, thread.Page{After: "x"}); !errors.Is(err, weir.KindInvalid) {
		t.Errorf("behind an unknown item: %v", err)
	}
	m := &model{}
	mustAnswer(t, stand(k, m), says("go").within(id))
	body, err := m.last().Body()
	if err != nil || len(body.Messages) != 3 || len(body.Messages[1].Blocks) != 3 {
		t.Errorf("the turn was not put together again: %+v", body.Messages)
	}
	if err := c.DeleteItem(t.Context(), "", id, added[1].ID); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteItem(t.Context(), "", id, added[1].ID); !errors.Is(err, weir.KindNotFound) {
		t.Errorf("delete again: %v", err)
	}
	if _, err := c.Item(t.Context(), "", id, added[1].ID); !errors.Is(err, weir.KindNotFound) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestConversationMetadata(t *testing.T) {
	k := newKeeper()
	c := k.Conversations()
	id := mustCreate(t, k, "", weir.UserText("hi"))
	if got, err := c.SetMetadata(t.Context(), "", id, []weir.Pair{{Key: "a", Value: "b"}}); err != nil || got.Metadata[0].Key != "a" {
		t.Fatalf("%+v, %v", got, err)
	}
	got, err := c.Get(t.Context(), "", id)
	if err != nil || len(got.Metadata) != 1 || got.Metadata[0].Value != "b" || got.ID != id || got.Created.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	first(t, c, "", id)
	if _, err := c.SetMetadata(t.Context(), "", "conv_x", nil); !errors.Is(err, weir.KindNotFound) {
		t.Errorf("%v", err)
	}
}

func TestOneCallAtATimeInAConversation(t *testing.T) {
	k := newKeeper()
	slow := &model{wait: 50 * time.Millisecond}
	h := stand(k, slow)
	id := mustCreate(t, k, "")
	var wg sync.WaitGroup
	answered := make([]bool, 8)
	for i := range answered {
		wg.Go(func() {
			out := answerTo(t.Context(), h, says(strconv.Itoa(i)).within(id))
			answered[i] = out.err == nil
			if out.err != nil && (out.err.Kind != weir.KindConflict || out.err.Code != "conversation_locked" || out.err.HTTPStatus(weir.OpenAIResponses) != 409) {
				t.Error(out.err)
			}
		})
	}
	wg.Wait()
	n := 0
	for _, yes := range answered {
		if yes {
			n++
		}
	}
	items, _, err := k.Conversations().Items(t.Context(), "", id, thread.Page{})
	if err != nil || n == 0 || len(items) != 2*n {
		t.Errorf("%d calls were answered, %d items, %v", n, len(items), err)
	}
	if out := answerTo(t.Context(), h, says("x").within(id)); out.err != nil {
		t.Errorf("the conversation was not released: %v", out.err)
	}
}

func TestFailedTurnAddsNothing(t *testing.T) {
	k := newKeeper()
	id := mustCreate(t, k, "")
	out := answerTo(t.Context(), stand(k, &model{fail: weir.Errorf(weir.KindUpstream, "cut"), after: 3}), says("x").within(id))
	if out.err == nil {
		t.Fatal("it did not fail")
	}
	for ev := range stand(k, &model{}).Handle(t.Context(), says("x").within(id).request()) {
		if ev.Type == weir.EventDelta {
			break
		}
	}
	items, _, err := k.Conversations().Items(t.Context(), "", id, thread.Page{})
	if err != nil || len(items) != 0 {
		t.Errorf("%d items, %v", len(items), err)
	}
	if n := mustAnswer(t, stand(k, &model{}), says("x").within(id).to(weir.CountTokens)); n.kept != nil {
		t.Error("a count was kept")
	}
	if items, _, _ := k.Conversations().Items(t.Context(), "", id, thread.Page{}); len(items) != 0 {
		t.Error("a count has added items")
	}
}

func TestConversationOfTheProvider(t *testing.T) {
	k, m := newKeeper(), &model{}
	out := mustAnswer(t, nativeStand(k, m, "openai/m", true), says("x").within("conv_theirs"))
	if m.last().Wire == nil {
		t.Error("the request was edited")
	}
	elsewhere := answerTo(t.Context(), stand(k, &model{}), says("y").after(out.Start.ID))
	if elsewhere.err == nil || elsewhere.err.Code != "previous_response_not_found" {
		t.Errorf("continued where its conversation is unknown: %v", elsewhere.err)
	}
}
