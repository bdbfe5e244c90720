package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/gateway"
	"github.com/weir-gateway/weir/sim"
)

func newChat() *cobra.Command {
	o := chatOptions{}
	c := &cobra.Command{
		Use:   "chat [PROMPT…]",
		Short: "Talk to a model from the terminal",
		Long: `Talk to a model from the terminal. With a prompt it answers once; without one it
goes on turn by turn until /exit. What is piped in is added to the prompt. The
call goes through the same chain as in the gateway, in this process.`,
		Example: `  weir chat "你好"
  weir chat -m deepseek/deepseek-flash -s "Answer in one line." "Why is the sky blue?"
  git diff | weir chat "Write a commit message for this"
  weir chat --json "hello" | jq .usage`,
		RunE: func(c *cobra.Command, args []string) error { return chat(c, &o, strings.Join(args, " ")) },
	}
	f := c.Flags()
	f.StringVarP(&o.model, "model", "m", "", "model to ask (default: the first of weir models; WEIR_MODEL)")
	f.StringVarP(&o.system, "system", "s", "", "system prompt")
	f.BoolVar(&o.json, "json", false, "print one JSON object instead of text")
	f.BoolVar(&o.quiet, "quiet", false, "print no thinking and no closing line")
	f.Int64Var(&o.maxTokens, "max-tokens", 0, "longest answer in tokens")
	_ = c.RegisterFlagCompletionFunc("model", completeModels)
	return c
}

type chatOptions struct {
	model, system string
	json, quiet   bool
	maxTokens     int64
}

func chat(c *cobra.Command, o *chatOptions, prompt string) error {
	g, err := chatGateway(c)
	if err != nil {
		return err
	}
	defer g.Close()
	s := &session{options: o, gateway: g, out: c.OutOrStdout(), errOut: c.ErrOrStderr()}
	if err := s.chooseModel(c); err != nil {
		return err
	}
	piped, err := readPiped(c.InOrStdin())
	if err != nil {
		return err
	}
	prompt = strings.TrimSpace(prompt + "\n\n" + piped)
	if prompt != "" {
		return s.turn(c.Context(), prompt)
	}
	if !isTerminal(c.InOrStdin()) {
		return usageError{errors.New("there is nothing to ask: give a prompt, or pipe one in")}
	}
	return s.converse(c.Context(), c.InOrStdin())
}

func chatGateway(c *cobra.Command) (*gateway.Gateway, error) {
	w, err := newWorld(c)
	if err != nil {
		return nil, err
	}
	cfg, err := w.config()
	if err != nil {
		return nil, err
	}
	g, err := gateway.New(gateway.Options{
		Config: cfg, Catalog: w.catalog, Lookup: w.lookup, // no logger: what is to be known is in the answer
		Simulated: sim.New(sim.Options{TokensPerSecond: 60}),
	})
	if err != nil {
		return nil, usageError{err}
	}
	return g, nil
}

// A session is a conversation.
type session struct {
	options     *chatOptions
	gateway     *gateway.Gateway
	model       string
	out, errOut io.Writer
	messages    []weir.Message
}

func (s *session) chooseModel(c *cobra.Command) error {
	s.model = s.options.model
	if s.model == "" {
		s.model = os.Getenv("WEIR_MODEL")
	}
	if s.model != "" {
		return nil
	}
	models := s.gateway.Current().Models(nil)
	if len(models) == 0 {
		return usageError{errors.New("there is no model to ask; weir models lists them")}
	}
	s.model = models[0].ID
	if !s.options.quiet && !s.options.json && isTerminal(c.InOrStdin()) {
		fmt.Fprintf(s.errOut, "(%s; choose another with -m)\n", s.model)
	}
	return nil
}

// turn asks once and prints the answer as it comes.
func (s *session) turn(ctx context.Context, prompt string) error {
	messages := slices.Concat(s.messages, []weir.Message{weir.UserText(prompt)})
	body := &weir.Body{Messages: messages}
	if s.options.system != "" {
		body.Messages = append([]weir.Message{weir.SystemText(s.options.system)}, messages...)
	}
	if s.options.maxTokens > 0 {
		body.MaxTokens = &s.options.maxTokens
	}
	req := weir.NewRequest(s.model, body)
	req.Stream = true
	p := &printer{options: s.options, out: s.out, errOut: s.errOut}
	for ev, err := range s.gateway.Current().Chain.Handle(ctx, req) {
		if err != nil {
			p.end()
			return explain(err)
		}
		p.event(ev)
	}
	p.end()
	answer := p.collector.Completion()
	if len(answer.Choices) > 0 {
		s.messages = slices.Concat(messages, []weir.Message{answer.Choices[0].Message})
	}
	return p.close(answer)
}

// explain is an error with its way out.
func explain(err error) error {
	e := weir.AsError(err)
	if e.Hint != "" {
		return fmt.Errorf("%w\n%s", e, e.Hint)
	}
	return e
}

// converse goes on turn by turn. A failed turn is told and forgotten.
func (s *session) converse(ctx context.Context, in io.Reader) error {
	fmt.Fprintln(s.errOut, "/exit ends, /reset forgets, /model NAME changes the model")
	r := bufio.NewReader(in)
	for {
		fmt.Fprint(s.errOut, "> ")
		line, err := r.ReadString('\n')
		if ended := err != nil && line == ""; ended || ctx.Err() != nil {
			fmt.Fprintln(s.errOut)
			return nil //nolint:nilerr // the end of what is typed is the end of the conversation
		}
		switch word, rest, _ := strings.Cut(strings.TrimSpace(line), " "); word {
		case "":
		case "/exit", "/quit":
			return nil
		case "/reset":
			s.messages = nil
		case "/model":
			s.model = strings.TrimSpace(rest)
		default:
			if err := s.turn(ctx, strings.TrimSpace(line)); err != nil {
				fmt.Fprintln(s.errOut, "weir: "+err.Error())
			}
		}
	}
}

// isTerminal reports whether v, a reader or a writer, is a terminal.
func isTerminal(v any) bool {
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// maxPiped bounds what is read from a pipe.
const maxPiped = 16 << 20

func readPiped(r io.Reader) (string, error) {
	if isTerminal(r) {
		return "", nil
	}
	data, err := io.ReadAll(io.LimitReader(r, maxPiped+1))
	if err != nil {
		return "", fmt.Errorf("read the pipe: %w", err)
	}
	if len(data) > maxPiped {
		return "", usageError{fmt.Errorf("what is piped in is over %d MiB", maxPiped>>20)}
	}
	return strings.TrimSpace(string(data)), nil
}

func completeModels(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	_, s, err := snapshot(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, m := range s.Models(nil) {
		ids = append(ids, m.ID)
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
