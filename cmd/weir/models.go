package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/sim"
)

func newModels() *cobra.Command {
	var asJSON, everything bool
	c := &cobra.Command{
		Use:   "models [FILTER]",
		Short: "List what can be called",
		Long:  "List what can be called here. Models that are not listed can be called too, as\nprovider/model.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			w, s, err := snapshot(c)
			if err != nil {
				return err
			}
			list := s.Models(nil)
			if everything {
				list = wholeCatalog(w.catalog)
			}
			if len(args) > 0 {
				list = filterModels(list, args[0])
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), list)
			}
			printModels(c.OutOrStdout(), list)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&everything, "all", false, "list the whole catalogue, with providers that are not on")
	return c
}

// snapshot is the gateway's state as serve would have it.
func snapshot(c *cobra.Command) (*world, *gateway.Snapshot, error) {
	w, err := newWorld(c)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := w.config()
	if err != nil {
		return nil, nil, err
	}
	g, err := gateway.New(gateway.Options{Config: cfg, Catalog: w.catalog, Lookup: w.lookup, Simulated: sim.New(sim.Options{})})
	if err != nil {
		return nil, nil, usageError{err}
	}
	return w, g.Current(), nil
}

func wholeCatalog(c *catalog.Catalog) []gateway.ModelInfo {
	var out []gateway.ModelInfo
	for _, p := range c.Providers() {
		for _, m := range p.Models {
			out = append(out, gateway.ModelInfo{ID: p.ID + "/" + m.ID, Name: m.Name, Provider: p.ID, Context: m.Context, MaxOutput: m.MaxOutput})
		}
	}
	return out
}

func filterModels(list []gateway.ModelInfo, filter string) []gateway.ModelInfo {
	var out []gateway.ModelInfo
	for _, m := range list {
		if strings.Contains(strings.ToLower(m.ID), strings.ToLower(filter)) {
			out = append(out, m)
		}
	}
	return out
}

func printModels(w io.Writer, list []gateway.ModelInfo) {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "MODEL\tCONTEXT\tMAX OUTPUT\tNAME")
	for _, m := range list {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", m.ID, tokens(m.Context), tokens(m.MaxOutput), describeModel(m))
	}
	_ = tw.Flush()
}

func describeModel(m gateway.ModelInfo) string {
	if m.Provider == "weir" {
		return "→ " + strings.Join(m.Targets, ", ")
	}
	return m.Name
}

// tokens is a number of tokens as people say it; "-" when it is not known.
func tokens(n int64) string {
	switch {
	case n <= 0:
		return "-"
	case n >= 1_000_000:
		return strings.Replace(fmt.Sprintf("%.1fM", float64(n)/1e6), ".0M", "M", 1)
	case n >= 1000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return strconv.FormatInt(n, 10)
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
