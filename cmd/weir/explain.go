package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-gateway/weir/codec/all"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/server"
	"github.com/weir-gateway/weir/sim"
)

type explainOptions struct {
	path, model string
	headers     []string
	json        bool
}

func newExplain() *cobra.Command {
	o := explainOptions{}
	c := &cobra.Command{
		Use:   "explain FILE",
		Short: "Show what would become of a request, and why",
		Long: `Show what would become of a request, and why: which rules hold, which deployments
would be asked in which order, what a translation would lose. Nothing is called.
FILE is the body of the request as a client would send it, "-" is what is piped
in. The health of deployments is known to a running gateway only, which tells it
at /admin/deployments and /admin/explain.`,
		Example: "  weir explain request.json\n  weir explain --path /v1/messages --model fast request.json\n" +
			"  echo '{\"model\":\"auto\",\"messages\":[]}' | weir explain --header 'x-weir-labels: team=search' -",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return account(c, &o, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.path, "path", "", "where the client would send it, such as /v1/messages (default: what the body looks like)")
	f.StringVarP(&o.model, "model", "m", "", "model to ask for in place of the one in the body")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "header that the client would send, \"name: value\"; may be said several times")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = c.RegisterFlagCompletionFunc("model", completeModels)
	return c
}

// account prints what would become of the request in a file.
func account(c *cobra.Command, o *explainOptions, file string) error {
	header, err := headersOf(o.headers)
	if err != nil {
		return err
	}
	body, err := bodyOf(c, file)
	if err != nil {
		return err
	}
	w, err := newWorld(c)
	if err != nil {
		return err
	}
	cfg, err := w.config()
	if err != nil {
		return err
	}
	g, err := gateway.New(gateway.Options{Config: cfg, Catalog: w.catalog, Lookup: w.lookup, Simulated: sim.New(sim.Options{})})
	if err != nil {
		return usageError{err}
	}
	defer g.Close()
	s := server.New(server.Options{Gateway: g, Codecs: all.List()})
	found, err := s.Explain(c.Context(), &server.Inquiry{Path: o.path, Model: o.model, Header: header, Body: body})
	if err != nil {
		return usageError{explain(err)}
	}
	if o.json {
		return printJSON(c.OutOrStdout(), found)
	}
	printAccount(c.OutOrStdout(), found)
	return nil
}

func headersOf(said []string) (http.Header, error) {
	h := http.Header{}
	for _, s := range said {
		name, value, ok := strings.Cut(s, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, usageError{errors.New(`--header wants "name: value"`)}
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h, nil
}

func bodyOf(c *cobra.Command, file string) ([]byte, error) {
	if file == "-" {
		body, err := io.ReadAll(c.InOrStdin())
		if err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		return body, nil
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError{fmt.Errorf("read the request: %w", err)}
	}
	return body, nil
}
