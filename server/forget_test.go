package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A keeping upstream is a provider that keeps its responses.
type keeping struct {
	mu      sync.Mutex // guards what follows
	made    int
	deleted []string // who asked, and for what
	status  int      // of the next deletions
	body    string   // of the next deletions; %s is the id
}

func (k *keeping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v1/responses":
		k.made++
		body := `{"id":"resp_up%d","object":"response","created_at":1,"status":"completed","model":"m","output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"answer","annotations":[]}]}],"usage":{"input_tokens":5,"output_tokens":3,"total_tokens":8}}`
		_, _ = fmt.Fprintf(w, body, k.made)
	case r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/v1/responses/"):
		id := strings.TrimPrefix(r.URL.Path, "/v1/responses/")
		k.deleted = append(k.deleted, r.Header.Get("Authorization")+" "+id)
		w.WriteHeader(k.status)
		_, _ = w.Write([]byte(strings.ReplaceAll(k.body, "%s", id)))
	default:
		w.WriteHeader(http.StatusTeapot)
	}
}

// answer is what deletions are answered from now on; who has asked until then is
// told.
func (k *keeping) answer(status int, body string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	asked := k.deleted
	k.deleted, k.status, k.body = nil, status, body
	return asked
}

const keepingYAML = `
providers:
  up: {protocol: openai.responses, base_url: %q, key: upstream-key, quirks: {keeps_responses: true}, models: [{id: m}]}
  not: {protocol: openai.responses, base_url: %[1]q, key: upstream-key}
retry: {max: 1ms}
`

// P-08, C-07: what is told to be deleted is deleted where it is kept too. A failure
// there is told, and then it is not deleted here either.
func TestDeletionsReachTheProviderThatKeepsToo(t *testing.T) {
	up := &keeping{}
	srv := httptest.NewServer(up)
	t.Cleanup(srv.Close)
	f := start(t, fmt.Sprintf(keepingYAML, srv.URL+"/v1"), nil)
	post := func(model, more string) (id, path string) {
		made := f.json(http.MethodPost, "/v1/responses", `{"model":"`+model+`/m","input":"hi"`+more+`}`, http.StatusOK)
		id = made["id"].(string)
		return id, "/v1/responses/" + id
	}
	for name, c := range map[string]struct {
		status int
		body   string
		ok     bool
	}{
		"deleted":              {200, `{"id":"%s","object":"response","deleted":true}`, true},
		"nothing said":         {204, ``, true},
		"gone already":         {404, `{"error":{"message":"Response with id '%s' not found.","type":"invalid_request_error","param":null,"code":null}}`, true},
		"no such path":         {404, `{"error":"Unexpected endpoint or method. (DELETE)"}`, false},
		"no such path, 200":    {200, `{"error":"Unexpected endpoint or method. (DELETE)"}`, false},
		"not deleted":          {200, `{"id":"%s","object":"response","deleted":false}`, false},
		"a refused credential": {401, `{"error":{"message":"no","type":"invalid_request_error"}}`, false},
		"broken":               {500, `{"error":{"message":"no","type":"server_error"}}`, false},
		"not allowed":          {405, `{}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			up.answer(c.status, c.body)
			id, path := post("up", "")
			if c.ok {
				gone := f.json(http.MethodDelete, path, "", http.StatusOK)
				f.json(http.MethodGet, path, "", http.StatusNotFound)
				if asked := up.answer(0, ""); gone["deleted"] != true || len(asked) != 1 || asked[0] != "Bearer upstream-key "+id {
					t.Errorf("%v, %q", gone, asked)
				}
				return
			}
			e := f.json(http.MethodDelete, path, "", http.StatusBadGateway)["error"].(object)
			if e["code"] != "response_not_deleted" || !strings.Contains(e["message"].(string), "up keeps the response too") {
				t.Errorf("%v", e)
			}
			f.json(http.MethodGet, path, "", http.StatusOK)
			// A header for the provider's own objects makes nothing of it.
			if r := f.do(f.request(t.Context(), http.MethodDelete, path, nil, "X-Weir-Provider", "up")); r.status != http.StatusBadGateway {
				t.Errorf("%d %s", r.status, r.body)
			}
			up.answer(200, `{"id":"%s","deleted":true}`)
			f.json(http.MethodDelete, path, "", http.StatusOK)
		})
	}
	// Nobody is asked who keeps nothing, and of one in the background it is the
	// upstream's own id that is deleted there.
	up.answer(500, `{}`)
	_, path := post("not", "")
	f.json(http.MethodDelete, path, "", http.StatusOK)
	if asked := up.answer(200, `{"deleted":true}`); len(asked) > 0 {
		t.Errorf("%q", asked)
	}
	made, path := post("up", `,"background":true`)
	if r := f.get(path + "?stream=true"); !strings.Contains(r.body, "response.completed") {
		t.Fatalf("%d %s", r.status, r.body)
	}
	f.json(http.MethodDelete, path, "", http.StatusOK)
	if asked := up.answer(0, ""); len(asked) != 1 || !strings.Contains(asked[0], " resp_up") || strings.Contains(asked[0], made) {
		t.Errorf("%q", asked)
	}
}

// A provider that was switched off meanwhile cannot delete anything.
func TestDeletionsNeedTheProvider(t *testing.T) {
	up := &keeping{}
	srv := httptest.NewServer(up)
	t.Cleanup(srv.Close)
	f := start(t, fmt.Sprintf(keepingYAML, srv.URL+"/v1"), nil)
	made := f.json(http.MethodPost, "/v1/responses", `{"model":"up/m","input":"hi"}`, http.StatusOK)
	if err := f.gateway.Reload(parse(t, "providers: {not: {protocol: openai.responses, base_url: '"+srv.URL+"/v1', key: k}}")); err != nil {
		t.Fatal(err)
	}
	e := f.json(http.MethodDelete, "/v1/responses/"+made["id"].(string), "", http.StatusBadGateway)["error"].(object)
	if !strings.Contains(e["message"].(string), "up") || len(up.answer(0, "")) > 0 {
		t.Errorf("%v", e)
	}
}
