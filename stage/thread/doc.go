// Package thread gives every provider the state that the Responses API has at
// OpenAI: a response can be continued by its id (previous_response_id), belong
// to a conversation, be fetched again, listed, deleted, run in the background
// and canceled.
//
// The stage stands around each deployment, inside fallback, where it is known
// whether the upstream keeps responses itself. A request that continues an
// earlier one is sent on whole: what went before is put in front of its
// messages, in order, and the instructions of the earlier requests are not
// (protocols.md §4.7, 2026-11-20). Only where the upstream made the earlier
// response and keeps it too does the id go up as it is. The answer is kept
// before its end reaches the client, so that the client can continue it at once.
//
// What is kept belongs to a tenant, the key that asked; no other key sees it.
//
// Begin with New in stage.go and plan.go, then record.go and Keeper in
// keeper.go; store.go is what a database has to offer, runner.go is background
// mode, conversation.go the Conversations API.
package thread
