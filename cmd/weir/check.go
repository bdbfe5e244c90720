package main

import (
	"fmt"
	"io"
	"reflect"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/gateway"
)

func newCheck() *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and show what is in force",
		Long: `Check the configuration: everything that is wrong is listed with file, line and
key, and the command ends with code 2. What is right is shown as it is in force,
each value with where it was said. No provider is called.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			w, s, err := snapshot(c)
			if err != nil {
				return err
			}
			listen, why, err := w.effectiveListen(c, s.Config)
			if err != nil {
				return err
			}
			printCheck(c.OutOrStdout(), w, s, listen, why)
			return nil
		},
	}
	c.Flags().StringP("listen", "l", "", "address to check for, as serve has it")
	return c
}

// effectiveListen is the address and who said it.
func (w *world) effectiveListen(c *cobra.Command, cfg *config.Config) (listen, why string, err error) {
	listen, err = w.listen(c, cfg)
	why = source(cfg, "listen")
	if v, ok := w.lookup("WEIR_LISTEN"); ok && v != "" {
		why = "WEIR_LISTEN"
	}
	if c.Flag("listen").Changed {
		why = "--listen"
	}
	return listen, why, err
}

func printCheck(out io.Writer, w *world, s *gateway.Snapshot, listen, why string) {
	if w.file == "" {
		fmt.Fprintln(out, "no configuration file: defaults and the environment")
	} else {
		fmt.Fprintf(out, "%s is right (%s)\n", w.file, w.fileWhy)
	}
	tw := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tw, "\nSETTING\tVALUE\tFROM")
	fmt.Fprintf(tw, "listen\t%s\t%s\n", listen, why)
	printSettings(tw, s.Config, reflect.ValueOf(*s.Config), "")
	fmt.Fprintln(tw, "\nPROVIDER\tENDPOINT\tON BY")
	for _, p := range s.Providers {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", p.Name, p.URL, p.Source)
	}
	if s.Simulated {
		fmt.Fprintf(tw, "%s\t(simulated)\tno other provider is on\n", gateway.SimName)
	}
	if len(s.Config.Models) > 0 {
		fmt.Fprintln(tw, "\nMODEL\tDEPLOYMENTS\tFROM")
		for _, m := range s.Models(nil) {
			if m.Provider == "weir" {
				fmt.Fprintf(tw, "%s\t%v\t%s\n", m.ID, m.Targets, source(s.Config, "models."+m.ID))
			}
		}
	}
	_ = tw.Flush()
}

// printSettings shows every single value with where it was said.
func printSettings(w io.Writer, cfg *config.Config, v reflect.Value, path string) {
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag.Get("yaml")
		if tag == "" || tag == "listen" {
			continue
		}
		at := tag
		if path != "" {
			at = path + "." + tag
		}
		f := v.Field(i)
		switch f.Kind() {
		case reflect.Struct:
			printSettings(w, cfg, f, at)
		case reflect.Map, reflect.Slice:
		default:
			fmt.Fprintf(w, "%s\t%s\t%s\n", at, settingValue(f), source(cfg, at))
		}
	}
}

func settingValue(v reflect.Value) string {
	if d, ok := reflect.TypeAssert[time.Duration](v); ok && d == 0 {
		return "none"
	}
	return fmt.Sprint(v.Interface())
}

func source(cfg *config.Config, path string) string {
	if p, ok := cfg.Position(path); ok && p.Line > 0 {
		return p.String()
	}
	return "default"
}
