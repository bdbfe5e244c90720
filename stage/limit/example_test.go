package limit_test

import (
	"context"
	"fmt"
	"time"

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
