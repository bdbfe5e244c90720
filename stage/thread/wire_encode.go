package thread

import "github.com/weir-gateway/weir"

func toMessage(m *weir.Message) wireMessage {
	return wireMessage{
		Role: text(m.Role), Blocks: each(m.Blocks, toBlock), Name: text(m.Name), Plain: m.Plain,
		At: text(m.At), Extra: toFields(m.Extra),
	}
}

func toBlock(b *weir.Block) wireBlock {
	return wireBlock{
		Type: text(b.Type), Text: text(b.Text),
		Media: opt(b.Media, toMedia), Reasoning: opt(b.Reasoning, toReasoning),
		Call: opt(b.Call, toCall), Result: opt(b.Result, toResult),
		Citations: each(b.Citations, toCitation), Cache: opt(b.Cache, toCache), Opaque: opt(b.Opaque, toOpaque),
		At: text(b.At), Extra: toFields(b.Extra),
	}
}

func toMedia(m *weir.Media) wireMedia {
	return wireMedia{
		MIME: text(m.MIME), Data: text(m.Data), URL: text(m.URL), FileID: text(m.FileID), Text: text(m.Text),
		Name: text(m.Name), Detail: text(m.Detail), Context: text(m.Context), ID: text(m.ID),
		Transcript: text(m.Transcript), Citations: m.Citations, Extra: toFields(m.Extra),
	}
}

func toReasoning(r *weir.Reasoning) wireReasoning {
	return wireReasoning{
		ID: text(r.ID), Format: text(r.Format), Signature: text(r.Signature), Encrypted: text(r.Encrypted),
		Summary: r.Summary, Extra: toFields(r.Extra),
	}
}

func toCall(c *weir.ToolCall) wireCall {
	return wireCall{
		ID: text(c.ID), Name: text(c.Name), Type: text(c.Type), Arguments: text(c.Arguments),
		Signature: text(c.Signature), Extra: toFields(c.Extra),
	}
}

func toResult(r *weir.ToolResult) wireResult {
	return wireResult{
		CallID: text(r.CallID), Name: text(r.Name), Content: each(r.Content, toBlock), Plain: r.Plain,
		IsError: r.IsError, Extra: toFields(r.Extra),
	}
}

func toCitation(c *weir.Citation) wireCitation {
	return wireCitation{
		Type: text(c.Type), URL: text(c.URL), Title: text(c.Title), Cited: text(c.Cited),
		Start: c.Start, End: c.End, Raw: c.Raw, From: text(c.From),
	}
}

func toCache(c *weir.CacheControl) wireCache {
	return wireCache{TTL: text(c.TTL), Extra: toFields(c.Extra)}
}

func toOpaque(o *weir.Opaque) wireOpaque {
	return wireOpaque{Protocol: text(o.Protocol), Type: text(o.Type), Raw: o.Raw}
}

func toUsage(u *weir.Usage) wireUsage {
	return wireUsage{
		Input: u.InputTokens, Output: u.OutputTokens, CacheRead: u.CacheReadTokens,
		CacheCreation: u.CacheCreationTokens, CacheCreation1h: u.CacheCreation1h, Reasoning: u.ReasoningTokens,
		AudioInput: u.AudioInputTokens, AudioOutput: u.AudioOutputTokens,
		Known: uint16(u.Known), Estimated: u.Estimated, Extra: toFields(u.Extra), From: text(u.From),
	}
}
