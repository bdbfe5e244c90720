package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/authn"
	"github.com/weir-gateway/weir/catalog"
	"github.com/weir-gateway/weir/config"
	"github.com/weir-gateway/weir/stage/breaker"
	"github.com/weir-gateway/weir/stage/limit"
	"github.com/weir-gateway/weir/stage/route"
	"github.com/weir-gateway/weir/stage/rules"
	"github.com/weir-gateway/weir/stage/shadow"
	"github.com/weir-gateway/weir/stage/thread"
)

// A Snapshot is one configuration at work. It is never changed.
type Snapshot struct {
	// Chain answers requests.
	Chain weir.Handler
	// Keys are the gateway keys; nil lets everybody in.
	Keys *authn.Keys
	// Bytes admits request bodies.
	Bytes *limit.Bytes
	// MaxBody is the longest request body in bytes.
	MaxBody int64
	// KeepAlive is how long a streaming client may hear nothing; 0 is for ever.
	KeepAlive time.Duration
	// Strict refuses lossy translations for everybody.
	Strict bool
	// Version names the configuration: a count and a hash.
	Version string
	// Config is where all this comes from.
	Config *config.Config
	// Providers are those that are on, and Off those of the catalogue that
	// are not.
	Providers []ProviderInfo
	Off       []OffInfo
	// Simulated tells that no real provider is on.
	Simulated bool

	// Threads keeps responses and conversations, and Background runs responses
	// that nobody waits for; both nil when nothing is to be kept.
	Threads    *thread.Keeper
	Background *thread.Runner

	table    *route.Table
	describe func(route.Model) ModelInfo
	storing  func(*thread.Record) (weir.Deployment, error)
	// Rules choose models by what requests are.
	Rules   *rules.Rules
	restful []string
	groups  []*breaker.Group
	shadow  *shadow.Shadow // nil when no model has one
	// observer is made when somebody first asks how things are.
	observer func() (*observer, error)
}

// ProviderInfo is a provider that is on.
type ProviderInfo struct {
	Name   string // "deepseek"
	Source string // what switched it on: "DEEPSEEK_API_KEY", "weir.yaml:3"
	Keys   int    // how many keys it has
	Models int    // how many models of it are known
	URL    string // the preferred endpoint, without credentials
}

// OffInfo is a provider of the catalogue that is not on, and the variable that
// would switch it on.
type OffInfo struct{ Name, Variable string }

// ModelInfo is a name that can be called.
type ModelInfo struct {
	ID        string // as it is asked for
	Name      string // for people
	Provider  string // who serves; "weir" for a name of the configuration
	Context   int64  // tokens, 0 is not known
	MaxOutput int64  // tokens, 0 is not known
	Targets   []string
	// Tools, Vision and Thinks tell that the model may call tools, see images
	// and think: it is known to, or nothing is known. Embeds tells that it makes
	// vectors and nothing else.
	Tools, Vision, Thinks, Embeds bool
}

// know takes over what the catalogue says of a model.
func (m *ModelInfo) know(known *catalog.Model) {
	m.Context, m.MaxOutput = known.Context, known.MaxOutput
	m.Tools = known.Tools == nil || *known.Tools
	m.Thinks = known.Reasoning == nil || *known.Reasoning
	m.Vision = len(known.Input) == 0 || slices.Contains(known.Input, "image")
	m.Embeds = slices.Contains(known.Output, "embedding")
}

// Models are the names that p may call, those of the configuration first. Nil
// is everybody. The slice is the caller's.
func (s *Snapshot) Models(p *weir.Principal) []ModelInfo {
	listed := s.table.Models(p)
	out := make([]ModelInfo, len(listed))
	for i, m := range listed {
		out[i] = s.describe(m)
	}
	return out
}

// Model is the entry of one name in Models, asked for as in a call.
func (s *Snapshot) Model(p *weir.Principal, name string) (ModelInfo, bool) {
	m, ok := s.table.Model(p, name)
	if !ok {
		return ModelInfo{}, false
	}
	return s.describe(m), true
}

// snapshotVersion is a count of reloads and a hash of the file, so that two
// replicas can be compared (O-09).
func snapshotVersion(n int, cfg *config.Config) string {
	if cfg.File() == "" {
		return fmt.Sprintf("%d-default", n)
	}
	data, err := os.ReadFile(cfg.File())
	if err != nil {
		return strconv.Itoa(n)
	}
	sum := sha256.Sum256(data)
	return fmt.Sprintf("%d-%s", n, hex.EncodeToString(sum[:4]))
}

// close ends what a snapshot has running for nobody.
func (s *Snapshot) close() {
	if s.shadow != nil {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.shadow.Close(ctx)
	}
}

// serves reports whether a deployment belongs to a provider that is on.
func (s *Snapshot) serves(deployment string) bool {
	name, _, _ := strings.Cut(deployment, "/")
	return name == SimName || slices.ContainsFunc(s.Providers, func(p ProviderInfo) bool { return p.Name == name })
}
