package limit_test

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/weir-gateway/weir"
	"github.com/weir-gateway/weir/stage/limit"
)

func ExampleBytes() {
	inFlight := limit.NewBytes(64 << 20)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	release, err := inFlight.Acquire(ctx, 20<<20)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer release()
	fmt.Println(inFlight.InUse()>>20, "MiB in flight")

	_, err = inFlight.Acquire(ctx, 100<<20)
	fmt.Println(err)
	// Output:
	// 20 MiB in flight
	// too_large: the body has 104857600 bytes, and at most 67108864 are held at once
}

func ExampleAdaptive() {
	a := limit.NewAdaptive(limit.AdaptiveOptions{Name: "vllm/qwen", Max: 64, Queue: 100, MaxWait: 5 * time.Second})
	busy := weir.HandlerFunc(func(context.Context, *weir.Request) iter.Seq2[weir.Event, error] {
		return weir.Fail(&weir.Error{Kind: weir.KindRateLimit, Status: 429})
	})
	h := weir.Chain(busy, a.Middleware())
	fmt.Println("at first", a.Stats().Limit)
	_, err := weir.Collect(h.Handle(context.Background(), weir.NewRequest("qwen", nil)))
	fmt.Println(err)
	fmt.Println("then", a.Stats().Limit)
	// Output:
	// at first 8
	// rate_limit (429)
	// then 5
}
