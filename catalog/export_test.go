package catalog

import "io/fs"

// LoadEmbedded loads the embedded data anew.
func LoadEmbedded() (*Catalog, error) {
	dir, err := fs.Sub(embedded, "data")
	if err != nil {
		return nil, err
	}
	return Load(dir)
}
