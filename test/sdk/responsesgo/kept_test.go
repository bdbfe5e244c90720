package responsesgo

import (
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/weir-gateway/weir/test/sdk/stand"
)

func TestConversationIsKept(t *testing.T) { // C-15
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		client := newClient(t)
		for _, way := range ways {
			model := stand.Model(t, upstream, "")
			p := ask(model, "Remember the word heron.")
			p.Instructions = openai.String(stand.SystemPrompt)
			first := must(t, way.try, p)
			p = ask(model, stand.Question)
			p.PreviousResponseID = openai.String(first.ID)
			second := must(t, way.try, p)
			if second.PreviousResponseID != first.ID {
				t.Errorf("%s: the previous response is %q", way.name, second.PreviousResponseID)
			}
			seen := string(stand.Upstream(t, model).Body)
			stand.Has(t, seen, "Remember the word heron.", stand.Question)
			if strings.Contains(seen, stand.SystemPrompt) {
				t.Errorf("%s: instructions are inherited: %s", way.name, seen)
			}

			kept, err := client.Responses.Get(t.Context(), second.ID, responses.ResponseGetParams{})
			if err != nil {
				t.Fatal(err)
			}
			if kept.ID != second.ID || kept.Status != "completed" || kept.OutputText() != second.OutputText() {
				t.Errorf("%s: kept is %s", way.name, kept.RawJSON())
			}
			asked := client.Responses.InputItems.ListAutoPaging(t.Context(), second.ID, responses.InputItemListParams{
				Limit: openai.Int(1), Order: responses.InputItemListParamsOrderAsc,
			})
			var all strings.Builder
			for asked.Next() {
				all.WriteString(asked.Current().RawJSON())
			}
			if asked.Err() != nil {
				t.Fatal(asked.Err())
			}
			stand.Has(t, all.String(), stand.Question)
			if err := client.Responses.Delete(t.Context(), second.ID); err != nil {
				t.Fatal(err)
			}
			_, err = client.Responses.Get(t.Context(), second.ID, responses.ResponseGetParams{})
			apiError(t, err, 404)
		}
	})
}

func TestWhatIsNotToBeKeptIsNotKept(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		p := ask(stand.Model(t, upstream, ""), stand.Question)
		p.Store = openai.Bool(false)
		got := must(t, whole, p)
		client := newClient(t)
		_, err := client.Responses.Get(t.Context(), got.ID, responses.ResponseGetParams{})
		apiError(t, err, 404)
		p.PreviousResponseID = openai.String(got.ID)
		for _, way := range ways {
			_, err = way.try(t, p)
			if e := apiError(t, err, 400); e.Code != "previous_response_not_found" {
				t.Errorf("%s: code %q", way.name, e.Code)
			}
		}
	})
}

func TestNamedConversation(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		client := newClient(t)
		model := stand.Model(t, upstream, "")
		made, err := client.Conversations.New(t.Context(), conversations.ConversationNewParams{
			Items: []responses.ResponseInputItemUnionParam{user("Remember the word heron.")}, Metadata: shared.Metadata{"a": "b"},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range ways {
			p := ask(model, stand.Question)
			p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String(made.ID)}
			stand.Has(t, must(t, way.try, p).OutputText(), stand.Question)
			stand.Has(t, string(stand.Upstream(t, model).Body), "Remember the word heron.")
		}
		pages := client.Conversations.Items.ListAutoPaging(t.Context(), made.ID, conversations.ItemListParams{Order: "asc", Limit: openai.Int(2)})
		var roles []string
		for pages.Next() {
			roles = append(roles, pages.Current().Role)
		}
		if got := strings.Join(roles, " "); pages.Err() != nil || got != "user user assistant user assistant" {
			t.Errorf("items of %s, %v", got, pages.Err())
		}
		if _, err := client.Conversations.Delete(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		_, err = client.Conversations.Get(t.Context(), made.ID)
		apiError(t, err, 404)
	})
}

func background(t *testing.T, upstream, fault string) responses.ResponseNewParams {
	p := ask(stand.Model(t, upstream, fault), stand.Question)
	p.Background = openai.Bool(true)
	return p
}

func TestBackground(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		client := newClient(t)
		got := must(t, whole, background(t, upstream, "delay=200ms"))
		if got.Status != "queued" && got.Status != "in_progress" {
			t.Errorf("status %q at first", got.Status)
		}
		for end := time.Now().Add(20 * time.Second); got.Status == "queued" || got.Status == "in_progress"; time.Sleep(30 * time.Millisecond) {
			next, err := client.Responses.Get(t.Context(), got.ID, responses.ResponseGetParams{})
			if err != nil {
				t.Fatal(err)
			}
			if got = next; time.Now().After(end) {
				t.Fatal("the response does not come to an end")
			}
		}
		if got.Status != "completed" {
			t.Errorf("status %q at last", got.Status)
		}
		stand.Has(t, got.OutputText(), stand.Question)
		checkUsage(t, got)
	})
}

func TestBackgroundStreamIsFollowedFromItsBeginning(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		t.Parallel()
		client := newClient(t)
		s := client.Responses.NewStreaming(t.Context(), background(t, upstream, "slow=10ms"))
		var id string
		for s.Next() && s.Current().Type != "response.output_text.delta" {
			if s.Current().Type == "response.created" {
				id = s.Current().Response.ID
			}
		}
		if s.Err() != nil || id == "" {
			t.Fatalf("id %q, %v", id, s.Err())
		}
		_ = s.Close()
		// The client says in the body of a GET that it wants a stream, where HTTP
		// has no place for it.
		got, err := collect(t, client.Responses.GetStreaming(t.Context(), id, responses.ResponseGetParams{}, option.WithQuery("stream", "true")))
		if err != nil {
			t.Fatal(err)
		}
		stand.Has(t, got.OutputText(), stand.Question)
	})
}

func TestBackgroundIsCancelled(t *testing.T) {
	stand.EachUpstream(t, func(t *testing.T, upstream string) {
		client := newClient(t)
		before := stand.ReadStats(t)
		begun := must(t, whole, background(t, upstream, "slow=200ms"))
		for stand.ReadStats(t).Requests == before.Requests {
			time.Sleep(10 * time.Millisecond)
		}
		got, err := client.Responses.Cancel(t.Context(), begun.ID)
		if err != nil || got.Status != "cancelled" {
			t.Fatalf("%v, %v", got, err)
		}
		got, err = client.Responses.Get(t.Context(), begun.ID, responses.ResponseGetParams{})
		if err != nil || got.Status != "cancelled" {
			t.Errorf("%v, %v", got, err)
		}
		stand.Canceled(t, before)
	})
}
