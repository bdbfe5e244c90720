// Package replay lets reasoning and tool state survive clients that cannot
// carry it (requirements T-01, T-02, T-04, T-05, T-06).
//
// Models think before they call tools, and many providers want that thinking
// back with the tool's result: as text (DeepSeek, Kimi), as signed or encrypted
// blocks (Anthropic, the Responses API) or as a signature of the call (Gemini).
// Many protocols and clients have no place for it. The stage, one for each
// deployment, keeps it in a Store under the id of the tool call, and puts it
// back when the client comes with the result and without the reasoning:
//
//	answer   reasoning, call 1   →  kept under (tenant, call 1)
//	request  call 1, result 1    →  reasoning, call 1, result 1
//
// What is missing and was not kept is for the codecs, which know each
// provider's placeholder. State that another provider is known to have made is
// taken out instead, since it would be refused. A request of which nothing is
// missing goes on untouched, byte for byte.
//
// # What is kept
//
// Text, signatures and encrypted payloads of reasoning, signatures of tool
// calls, and who made them. Nothing else of a prompt or an answer is kept, but
// reasoning text may repeat either: an operator who wants nothing stored leaves
// the stage out (requirement X-17). Keys are hashes; of the ids of calls, only
// a Store's values hold those of one turn. Tenants never meet: the name of the
// Principal is part of every key.
//
// Begin with options.go, then record.go (outward), complete.go (inward) and
// store.go.
package replay
