package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v4"

	"github.com/weir-gateway/weir/catalog"
)

// DefaultFile is read when it exists and nothing else was asked for.
const DefaultFile = "weir.yaml"

// Load reads and validates file. An absent file is an error that wraps
// fs.ErrNotExist; everything that is wrong with its content is Problems.
func Load(file string, lookup Lookup, c *catalog.Catalog) (*Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		return nil, err
	}
	return Parse(file, data, lookup, c)
}

// Parse is Load for bytes; file is their name in errors. Empty data is the
// default configuration.
func Parse(file string, data []byte, lookup Lookup, c *catalog.Catalog) (*Config, error) {
	cfg := Default()
	cfg.file = file
	d := &decoder{file: file, lookup: lookup, sources: cfg.sources}
	root, err := parseYAML(file, data)
	if err != nil {
		return nil, err
	}
	if root != nil {
		d.value(root, reflect.ValueOf(cfg).Elem(), "")
	}
	// What the types found wrong is said together with what the rules find
	// wrong, but a rule is not asked about a value that could not be read.
	cfg.validate(c, &d.problems)
	if err := d.problems.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// parseYAML is the document's root node, nil for an empty document.
func parseYAML(file string, data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		p := &Problem{Position: Position{File: file}, Message: "this is no valid YAML: " + err.Error()}
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			p.Line, _ = strconv.Atoi(m[1])
			p.Column = 1
		}
		return nil, Problems{p}
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	return root, nil
}
