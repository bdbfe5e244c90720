// Command weir is an LLM gateway, the client for it and the simulator of its
// upstreams: "weir help" lists the commands.
//
// Each command is a function run(ctx, args, stdin, stdout, stderr) below
// newRoot and can be tested as such. Begin with serve.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes: what a script can tell apart.
const (
	exitOK    = 0
	exitError = 1 // the command failed
	exitUsage = 2 // the command was called wrongly, or the configuration is wrong
)

// usageError is a mistake of whoever called, to be fixed by calling otherwise.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot() //nolint:contextcheck // a command carries its context
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if !errors.Is(err, errSilent) {
		fmt.Fprintln(stderr, "weir: "+err.Error())
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitError
}

// errSilent ends a command that has already said what is wrong.
var errSilent = errors.New("")

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "weir",
		Short: "A gateway between programs and large language models",
		Long: `Weir is the layer between programs and large language models: it speaks every
client's protocol and every vendor's, loses nothing in between, and keeps
answering when vendors fail.

  weir serve          start the gateway: no file and no key needed
  weir chat "你好"     talk to a model from the terminal
  weir models         what can be called
  weir check          is this configuration right`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %s --help)", err, c.CommandPath())}
	})
	root.PersistentFlags().StringP("config", "c", "", "configuration file (default weir.yaml if it exists; WEIR_CONFIG)")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml")
	root.AddCommand(newServe(), newChat(), newModels(), newCheck(), newExplain(), newKeys(), newSim(), newVersion())
	return root
}
