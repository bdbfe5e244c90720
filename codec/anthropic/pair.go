package anthropic

import (
	"fmt"

	"github.com/weir-gateway/weir"
)

// pairByOrder gives ids to calls that came without (older Gemini-compatible
// servers), and to results that do not say which call they answer (clients of
// GLM) that of the first call which nothing answers (S-03). The ids follow from
// the places alone, so they are the same in every turn. Blocks are copied, the
// body stays as it is.
func pairByOrder(turns []turn) {
	for i := range turns {
		var waiting []string
		for k := range turns[i].parts {
			p := &turns[i].parts[k]
			if p.block.Type != weir.BlockToolCall || p.block.Call == nil {
				continue
			}
			if p.block.Call.ID == "" {
				b := p.block.Clone()
				b.Call.ID = fmt.Sprintf("call_%d_%d", p.at.Message, p.at.Block)
				p.block = &b
			}
			waiting = append(waiting, p.block.Call.ID)
		}
		if len(waiting) > 0 && i+1 < len(turns) {
			nameResults(turns[i+1].parts, waiting)
		}
	}
}

// nameResults hands the ids that no result names to the results that name none.
func nameResults(parts []part, ids []string) {
	results := leadingResults(parts)
	named := resultIDs(results)
	for k := range results {
		p := &results[k]
		if p.block.Result.CallID != "" {
			continue
		}
		for len(ids) > 0 && named[ids[0]] {
			ids = ids[1:]
		}
		if len(ids) == 0 {
			return
		}
		b := p.block.Clone()
		b.Result.CallID, ids = ids[0], ids[1:]
		p.block = &b
	}
}
