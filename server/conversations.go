package server

import (
	"io"
	"net/http"
	"slices"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/internal/jsonx"
	"github.com/weir-gateway/weir/stage/thread"
)

// What follows is the Conversations API (OpenAI OpenAPI 2.3.0, 2026-08-21).

func (s *Server) conversationRoutes(mux *http.ServeMux) {
	for _, path := range openAI("/conversations") {
		mux.HandleFunc("POST "+path, s.kept(s.createConversation))
		mux.HandleFunc("GET "+path+"/{id}", s.kept(s.getConversation))
		mux.HandleFunc("POST "+path+"/{id}", s.kept(s.updateConversation))
		mux.HandleFunc("DELETE "+path+"/{id}", s.kept(s.deleteConversation))
		mux.HandleFunc("GET "+path+"/{id}/items", s.kept(s.conversationItems))
		mux.HandleFunc("POST "+path+"/{id}/items", s.kept(s.addItems))
		mux.HandleFunc("GET "+path+"/{id}/items/{item}", s.kept(s.getItem))
		mux.HandleFunc("DELETE "+path+"/{id}/items/{item}", s.kept(s.deleteItem))
	}
}

// maxItems is how many items one request may add (OpenAPI 2.3.0).
const maxItems = 20

// body reads a request's body, which is a JSON object; an empty one is one
// without members.
func (c *keptCall) body() (*jsonx.Top, []byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, c.state.MaxBody))
	if err != nil {
		return nil, nil, readError(err, c.state.MaxBody)
	}
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	var top jsonx.Top
	if err := top.Scan(raw); err != nil {
		return nil, nil, weir.Errorf(weir.KindInvalid, "the body is no JSON object: %w", err)
	}
	return &top, raw, nil
}

func (s *Server) createConversation(c *keptCall) error {
	top, raw, err := c.body()
	if err != nil {
		return err
	}
	items, err := s.itemsOf(top.Get(raw, "items"))
	if err != nil {
		return err
	}
	metadata, err := metadataOf(top.Get(raw, "metadata"))
	if err != nil {
		return err
	}
	made, err := c.state.Threads.Conversations().Create(c.ctx, c.tenant, metadata, items)
	if err == nil {
		writeConversation(c.w, made)
	}
	return err
}

func (s *Server) itemsOf(raw []byte) ([]thread.Item, error) {
	items, err := s.readItems(raw)
	if err == nil && len(items) > maxItems {
		err = weir.Invalid("items", "there are %d items, and %d may be added at once", len(items), maxItems)
	}
	return items, err
}

// metadataOf reads an object of texts.
func metadataOf(raw []byte) ([]weir.Pair, error) {
	if raw == nil || jsonx.IsNull(raw) {
		return nil, nil
	}
	if jsonx.KindOf(raw) != jsonx.KindObject {
		return nil, weir.Invalid("metadata", "metadata: expected an object, got %s", jsonx.KindOf(raw))
	}
	var out []weir.Pair
	err := jsonx.EachMember(raw, func(key, value []byte) error {
		text, err := jsonx.String(value)
		if err != nil {
			return weir.Invalid("metadata", "metadata.%s: expected a string, got %s", bounded(string(key)), jsonx.KindOf(value))
		}
		out = append(out, weir.Pair{Key: string(key), Value: text})
		return nil
	})
	return out, err
}

func writeConversation(w http.ResponseWriter, conversation *thread.Conversation) {
	var b jsonx.Buffer
	b.BeginObject()
	b.StringField("id", conversation.ID)
	b.StringField("object", "conversation")
	b.IntField("created_at", conversation.Created.Unix())
	b.Key("metadata")
	b.BeginObject()
	for _, p := range conversation.Metadata {
		b.StringField(p.Key, p.Value)
	}
	b.EndObject()
	b.EndObject()
	writeJSON(w, http.StatusOK, b.B)
}

func (*Server) getConversation(c *keptCall) error {
	found, err := c.state.Threads.Conversations().Get(c.ctx, c.tenant, c.r.PathValue("id"))
	if err == nil {
		writeConversation(c.w, found)
	}
	return err
}

func (*Server) updateConversation(c *keptCall) error {
	top, raw, err := c.body()
	if err != nil {
		return err
	}
	metadata, err := metadataOf(top.Get(raw, "metadata"))
	if err != nil {
		return err
	}
	changed, err := c.state.Threads.Conversations().SetMetadata(c.ctx, c.tenant, c.r.PathValue("id"), metadata)
	if err == nil {
		writeConversation(c.w, changed)
	}
	return err
}

func (*Server) deleteConversation(c *keptCall) error {
	id := c.r.PathValue("id")
	err := c.state.Threads.Conversations().Delete(c.ctx, c.tenant, id)
	if err == nil {
		writeDeleted(c.w, id, "conversation.deleted")
	}
	return err
}

func (s *Server) conversationItems(c *keptCall) error {
	page, err := c.page()
	if err != nil {
		return err
	}
	items, more, err := c.state.Threads.Conversations().Items(c.ctx, c.tenant, c.r.PathValue("id"), page)
	if err != nil {
		return err
	}
	return s.writeItems(c.w, items, more)
}

func (s *Server) addItems(c *keptCall) error {
	top, raw, err := c.body()
	if err != nil {
		return err
	}
	items, err := s.itemsOf(top.Get(raw, "items"))
	if err == nil && len(items) == 0 {
		err = weir.Invalid("items", "items: field required")
	}
	if err != nil {
		return err
	}
	added, err := c.state.Threads.Conversations().Add(c.ctx, c.tenant, c.r.PathValue("id"), items)
	if err != nil {
		return err
	}
	return s.writeItems(c.w, slices.Clip(added), false)
}

func (s *Server) getItem(c *keptCall) error {
	it, err := c.state.Threads.Conversations().Item(c.ctx, c.tenant, c.r.PathValue("id"), c.r.PathValue("item"))
	if err != nil {
		return err
	}
	raw, err := s.itemJSON(&it)
	if err == nil {
		writeJSON(c.w, http.StatusOK, raw)
	}
	return err
}

func (s *Server) deleteItem(c *keptCall) error {
	conversations := c.state.Threads.Conversations()
	if err := conversations.DeleteItem(c.ctx, c.tenant, c.r.PathValue("id"), c.r.PathValue("item")); err != nil {
		return err
	}
	return s.getConversation(c)
}
