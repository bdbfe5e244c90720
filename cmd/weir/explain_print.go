package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/server"
)

// printAccount tells people what would become of a request.
func printAccount(w io.Writer, a *server.Account) {
	fmt.Fprintf(w, "%s %s (%s)", a.Operation, a.Path, a.Protocol)
	if a.Assumed != "" {
		fmt.Fprintf(w, ", assumed since %s; --path says otherwise", a.Assumed)
	}
	fmt.Fprintln(w)
	asked := []string{"asks for " + cmp.Or(a.Asked, "no model")}
	if a.Tokens > 0 {
		asked = append(asked, fmt.Sprintf("about %d tokens", a.Tokens))
	}
	if a.Stream {
		asked = append(asked, "streamed")
	}
	if a.Strict {
		asked = append(asked, "strict")
	}
	fmt.Fprintln(w, strings.Join(asked, ", "))
	printRules(w, a.Explanation)
	if r := a.Refused; r != nil {
		fmt.Fprintln(w, "\nRefused: "+refusedText(r))
		return
	}
	fmt.Fprintf(w, "\n%s stands for (%s), at most %d attempts:\n", a.Model, a.Reason, a.Attempts)
	for i := range a.Deployments {
		printDeployment(w, i+1, &a.Deployments[i])
	}
	for _, s := range a.Also {
		fmt.Fprintln(w, "\nAlso: "+s)
	}
}

func printRules(w io.Writer, e *gateway.Explanation) {
	if len(e.Rules) == 0 {
		return
	}
	fmt.Fprintln(w, "\nRules:")
	for _, r := range e.Rules {
		mark := "  "
		if r.Decides {
			mark = "→ "
		}
		of := cmp.Or(r.Of, "all requests")
		if r.Rule == 0 {
			fmt.Fprintf(w, "%s%s: else %s\n", mark, of, r.Use)
			continue
		}
		fmt.Fprintf(w, "%s%s %d: %s ⇒ %s: %s", mark, of, r.Rule, r.When, r.Use, r.Outcome)
		if r.Reason != "" {
			fmt.Fprintf(w, " (%s)", r.Reason)
		}
		fmt.Fprintln(w)
	}
	for _, f := range e.Features {
		fmt.Fprintf(w, "  %s = %s\n", f.Name, f.Value)
	}
	if e.Model != e.Asked {
		fmt.Fprintf(w, "The model becomes %s.\n", e.Model)
	}
}

func printDeployment(w io.Writer, n int, d *gateway.ExplainedDeployment) {
	fmt.Fprintf(w, "\n%d. %s", n, d.Name)
	if d.First {
		fmt.Fprint(w, " ← asked first")
	}
	fmt.Fprintln(w)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "   %-11s %s\n", name, fmt.Sprintf(format, args...))
	}
	if d.Unfit != "" {
		line("passed over", "%s", d.Unfit)
	}
	line("health", "%s", healthText(&d.Health))
	if d.Zone != "" {
		line("zone", "%s", d.Zone)
	}
	if d.Weight != 1 {
		line("weight", "%d", d.Weight)
	}
	if s := endpointText(d); s != "" {
		line("endpoint", "%s", s)
	}
	line("price", "%s", priceText(d))
	if d.Structured != "" {
		line("format", "%s", formatText(d.Structured))
	}
	if r := d.Reasoning; r != nil {
		line("reasoning", "%s", reasoningText(r))
	}
	if d.Kept {
		line("history", "earlier turns are kept here and are put in front")
	}
	for _, l := range d.Losses {
		line("loses", "%s: %s, %s", l.Field, l.Action, l.Detail)
	}
	if d.Refused != nil {
		line("refuses", "%s", refusedText(d.Refused))
	}
}

func healthText(h *gateway.DeploymentStatus) string {
	s := h.Standing
	if h.State != "closed" {
		s += ", " + h.State
	}
	if h.InFlight > 0 {
		s += fmt.Sprintf(", %d in flight", h.InFlight)
	}
	if h.LatencyMS > 0 {
		s += fmt.Sprintf(", first token after %.0f ms", h.LatencyMS)
	}
	return s
}

func endpointText(d *gateway.ExplainedDeployment) string {
	switch {
	case d.Address == "" && d.Refused != nil:
		return "" // nothing would be sent
	case d.Address == "":
		return "simulated"
	case d.Translated:
		return fmt.Sprintf("%s, translated to %s", d.Address, d.Protocol)
	}
	return fmt.Sprintf("%s, the client's own protocol", d.Address)
}

func priceText(d *gateway.ExplainedDeployment) string {
	if !d.PriceKnown {
		return "not known"
	}
	return "known; the prompt costs about " + d.PromptCost
}

func formatText(by string) string {
	if by == "native" {
		return "the provider keeps to it"
	}
	return "made up for by " + by + ", and checked here"
}

func reasoningText(r *gateway.ExplainedReasoning) string {
	parts := []string{"earlier " + strings.Join(r.Needs, " and ") + " wanted back"}
	if r.ByClient {
		parts = append(parts, "which the client carries")
	}
	for _, n := range []struct {
		count int
		word  string
	}{{r.Injected, "put back"}, {r.Missing, "missing"}, {r.Stripped, "taken out"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.word))
		}
	}
	return strings.Join(parts, ", ")
}

func refusedText(r *gateway.Refusal) string {
	s := r.Message + " (" + r.Kind + ")"
	if r.Hint != "" {
		s += "; " + r.Hint
	}
	return s
}
