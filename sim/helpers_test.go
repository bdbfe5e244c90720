package sim_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"

	"github.com/weir-gateway/weir"
)

// failing is a handler that is always busy.
type failing struct{}

func (failing) Handle(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
	return weir.Fail(weir.Errorf(weir.KindRateLimit, "too many requests"))
}

func bubble(t *testing.T, fn func(t *testing.T)) { synctest.Test(t, fn) }
