package authn_test

import (
	"fmt"
	"net/http"

	"github.com/weir-gateway/weir/authn"
)

func ExampleKeys() {
	key, hash := authn.Generate() // the key for its owner, the hash for the configuration
	keys, err := authn.NewKeys([]authn.Key{{Name: "ci", Hash: hash, Models: []string{"deepseek/*"}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	h := http.Header{}
	h.Set("Authorization", "Bearer "+key)
	p, err := keys.Authenticate(h, nil)
	fmt.Println(p.Name, p.Models, err)

	h.Set("Authorization", "Bearer "+key[:20])
	_, err = keys.Authenticate(h, nil)
	fmt.Println(err)
	// Output:
	// ci [deepseek/*] <nil>
	// unauthenticated: the gateway key is mistyped: its checksum does not fit
}
