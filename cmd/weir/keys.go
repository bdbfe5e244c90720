package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weir-gateway/weir/authn"
)

func newKeys() *cobra.Command {
	keys := &cobra.Command{
		Use:   "keys",
		Short: "Make gateway keys",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	keys.AddCommand(newKeysNew(), newKeysHash())
	return keys
}

func newKeysNew() *cobra.Command {
	var models []string
	var admin bool
	c := &cobra.Command{
		Use:     "new NAME",
		Short:   "Make a key: it is printed once, weir.yaml keeps its hash",
		Example: "  weir keys new alice\n  weir keys new ci --models 'deepseek/*,fast'",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			key, hash := authn.Generate()
			fmt.Fprintf(c.ErrOrStderr(), "The key of %s, shown only now:\n\n", args[0])
			fmt.Fprintln(c.OutOrStdout(), key)
			fmt.Fprintf(c.ErrOrStderr(), "\nAdd to weir.yaml:\n\n%s", keyYAML(args[0], hash, models, admin))
			return nil
		},
	}
	c.Flags().StringSliceVar(&models, "models", nil, "models that the key may use, * and ? allowed (default all)")
	c.Flags().BoolVar(&admin, "admin", false, "the key may also look at /admin")
	return c
}

func newKeysHash() *cobra.Command {
	return &cobra.Command{
		Use:   "hash",
		Short: "Print the hash of a key read from standard input",
		Long:  "Print the hash of a key read from standard input, so that the key stands neither\nin the list of processes nor in the shell's history.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			line, err := bufio.NewReader(c.InOrStdin()).ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("read the key: %w", err)
			}
			key := strings.TrimSpace(line)
			if len(key) < 16 {
				return usageError{errors.New("a key has at least 16 characters; weir keys new makes a good one")}
			}
			fmt.Fprintln(c.OutOrStdout(), authn.Hash(key))
			return nil
		},
	}
}

func keyYAML(name, hash string, models []string, admin bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "keys:\n  - name: %q\n    hash: %q\n", name, hash)
	if admin {
		b.WriteString("    admin: true\n")
	}
	if len(models) > 0 {
		b.WriteString("    models:\n")
		for _, m := range models {
			fmt.Fprintf(&b, "      - %q\n", m)
		}
	}
	return b.String()
}
