package sim

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/weir-gateway/weir/internal/jsonx"
)

// control serves the paths below /_sim/. They need no key: the simulator is a
// tool of the person who runs it.
//
//	GET    /_sim/faults   the rules
//	POST   /_sim/faults   add a rule: JSON (a Rule or a list of them), or the query fault=…&model=…&path=…&share=…
//	DELETE /_sim/faults   forget the rules and the counts of times=N
//	GET    /_sim/stats    what was received
//	DELETE /_sim/stats    begin to count anew
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	switch r.Method + " " + r.URL.Path {
	case "GET /_sim/faults":
		writeJSON(w, http.StatusOK, s.rules.all())
	case "POST /_sim/faults":
		s.addFaults(w, r)
	case "DELETE /_sim/faults":
		s.rules.clear()
		w.WriteHeader(http.StatusNoContent)
	case "GET /_sim/stats":
		writeJSON(w, http.StatusOK, s.stats.snapshot())
	case "DELETE /_sim/stats":
		s.stats.reset()
		w.WriteHeader(http.StatusNoContent)
	default:
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "no such control; there are /_sim/faults and /_sim/stats"})
	}
}

func (s *Server) addFaults(w http.ResponseWriter, r *http.Request) {
	list, err := readRules(w, r)
	if err == nil {
		err = s.rules.add(list)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, s.rules.all())
}

// maxControlBytes bounds a control request.
const maxControlBytes = 1 << 20

func readRules(w http.ResponseWriter, r *http.Request) ([]Rule, error) {
	q := r.URL.Query()
	if fault := q.Get("fault"); fault != "" {
		rule := Rule{Fault: fault, Model: q.Get("model"), Path: q.Get("path")}
		if share := q.Get("share"); share != "" {
			f, err := strconv.ParseFloat(share, 64)
			if err != nil {
				return nil, errors.New("share must be a number between 0 and 1")
			}
			rule.Share = f
		}
		return []Rule{rule}, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBytes))
	if err != nil {
		return nil, err
	}
	if jsonx.KindOf(body) == jsonx.KindArray {
		var list []Rule
		err = strictJSON(body, &list)
		return list, err
	}
	var one Rule
	if err := strictJSON(body, &one); err != nil {
		return nil, err
	}
	if one.Fault == "" {
		return nil, errors.New("fault is missing: say it in the query or in a JSON body")
	}
	return []Rule{one}, nil
}

// writeJSON answers a control call.
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// rawJSON is body where it can stand in JSON, else nothing.
func rawJSON(body []byte) json.RawMessage {
	if jsonx.Valid(body) != nil {
		return nil
	}
	return json.RawMessage(body)
}
