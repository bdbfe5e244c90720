package server_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// matrixPage is the matrix as a page of the manual.
func matrixPage(pairs []pair, rows []providerRow) string {
	var b strings.Builder
	b.WriteString(`# Capabilities

What becomes of a feature between the protocol of the client (the title) and that of the upstream (the column). Every cell was found out by a test that sends the feature through the whole gateway, streamed and whole: ` + "`go test ./server -run TestMatrix`" + `. The same as JSON, with the losses of each cell: ` + "`GET /v1/capabilities`" + `.

| word | meaning |
|---|---|
| exact | the same protocol; nothing is translated |
| translated | said in the other protocol's own words |
| emulated | made up for by other means, and noted as approximated |
| lossy | lost, and noted |
| refused | answered with an error that names the field |
| n/a | the client's or the upstream's protocol has no word for it, or no need of it |

Two words in one cell are for streamed and whole answers.
`)
	for _, c := range matrixClients {
		fmt.Fprintf(&b, "\n## %s\n\n| feature |", c.protocol)
		for _, u := range matrixUpstreams {
			fmt.Fprintf(&b, " %s |", u.name)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(matrixUpstreams)) + "\n")
		for i := range features {
			fmt.Fprintf(&b, "| %s |", features[i].title)
			for _, u := range matrixUpstreams {
				fmt.Fprintf(&b, " %s |", pairOf(pairs, c.name, u.name).Features[features[i].id].words())
			}
			b.WriteByte('\n')
		}
	}
	providersPage(&b, rows)
	return b.String()
}

func (c cell) words() string {
	if c.Stream == c.Whole {
		return c.Stream
	}
	return c.Stream + " / " + c.Whole
}

// providersPage tells which column is a provider's, and what it adds.
func providersPage(b *strings.Builder, rows []providerRow) {
	b.WriteString("\n## Providers\n\nWhich column holds for a provider of the catalogue, for a client of each protocol, and the features that its own deviations touch beyond that.\n\n| provider |")
	for _, c := range matrixClients {
		fmt.Fprintf(b, " %s |", c.name)
	}
	b.WriteString(" deviations |\n|---|" + strings.Repeat("---|", len(matrixClients)+1) + "\n")
	for _, row := range rows {
		fmt.Fprintf(b, "| %s |", row.ID)
		touched := map[string]bool{}
		for _, c := range matrixClients {
			fmt.Fprintf(b, " %s |", cmp.Or(row.Via[c.name], "–"))
			for id := range row.Limits[c.name] {
				touched[id] = true
			}
		}
		fmt.Fprintf(b, " %s |\n", strings.Join(slices.Sorted(maps.Keys(touched)), ", "))
	}
}
