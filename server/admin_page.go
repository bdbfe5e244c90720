package server

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weir-gateway/weir/gateway"
)

// pageHead is all of the page in front of the table. It loads nothing, runs
// nothing and asks again every five seconds.
const pageHead = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Weir: deployments</title>
<style>
body{font:14px/1.5 system-ui,sans-serif;margin:2em;color-scheme:light dark}
table{border-collapse:collapse}
th,td{padding:.3em .9em;text-align:left;border-bottom:1px solid #8884;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.open,.down{color:#c22}.half_open,.ejected,.slow,.cooling{color:#a60}.closed,.ready{color:#283}
</style></head><body><h1>Deployments</h1>
`

// deploymentsPage shows the list to people. Every value is escaped: names come
// from configurations and from clients.
func deploymentsPage(l *deploymentList) string {
	var b strings.Builder
	b.WriteString(pageHead)
	fmt.Fprintf(&b, "<p>Configuration %s, at %s.</p>\n", html.EscapeString(l.Config), time.Now().UTC().Format(time.DateTime))
	b.WriteString("<table><thead><tr>")
	for _, name := range []string{"Deployment", "Models", "Zone", "State", "Standing", "Weight", "In flight", "First token", "p95", "Whole", "Good", "Failed", "Denied", "Last error"} {
		b.WriteString("<th>" + name + "</th>")
	}
	b.WriteString("</tr></thead><tbody>\n")
	for i := range l.Deployments {
		appendRow(&b, &l.Deployments[i])
	}
	b.WriteString("</tbody></table>\n</body></html>\n")
	return b.String()
}

func appendRow(b *strings.Builder, d *gateway.DeploymentStatus) {
	text := func(s string) { b.WriteString("<td>" + html.EscapeString(s) + "</td>") }
	class := func(s, more string) {
		b.WriteString(`<td class="` + html.EscapeString(s) + `">` + html.EscapeString(s+more) + "</td>")
	}
	number := func(s string) { b.WriteString(`<td class="n">` + html.EscapeString(s) + "</td>") }
	b.WriteString("<tr>")
	text(d.Name)
	text(strings.Join(d.Models, ", "))
	text(d.Zone)
	class(d.State, until(d))
	class(d.Standing, "")
	number(strconv.FormatFloat(d.Weight, 'f', -1, 64))
	number(strconv.Itoa(d.InFlight))
	for _, ms := range []float64{d.LatencyMS, d.P95MS, d.WholeMS} {
		number(pageMilliseconds(ms))
	}
	for _, n := range []int{d.Window.Succeeded, d.Window.Failed, d.Window.Denied} {
		number(strconv.Itoa(n))
	}
	text(lastError(d))
	b.WriteString("</tr>\n")
}

// until says for how long a state will last, where that is known.
func until(d *gateway.DeploymentStatus) string {
	switch {
	case !d.Until.IsZero():
		return " until " + d.Until.UTC().Format(time.TimeOnly)
	case !d.CoolingUntil.IsZero():
		return ", cooling until " + d.CoolingUntil.UTC().Format(time.TimeOnly)
	case len(d.EjectedFrom) > 0:
		return " from " + strings.Join(d.EjectedFrom, ", ")
	}
	return ""
}

func lastError(d *gateway.DeploymentStatus) string {
	if d.LastError == "" {
		return ""
	}
	return d.LastError + " at " + d.LastErrorAt.UTC().Format(time.TimeOnly)
}

func pageMilliseconds(ms float64) string {
	if ms == 0 {
		return "–"
	}
	return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
}

// writePage writes a page that may load nothing and stands in no other page.
func writePage(w http.ResponseWriter, page string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(page))
}
