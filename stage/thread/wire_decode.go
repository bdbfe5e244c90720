package thread

import "github.com/weir-gateway/weir"

func fromMessage(m *wireMessage) weir.Message {
	return weir.Message{
		Role: weir.Role(m.Role), Blocks: each(m.Blocks, fromBlock), Name: string(m.Name), Plain: m.Plain,
		At: string(m.At), Extra: fromFields(m.Extra),
	}
}

func fromBlock(b *wireBlock) weir.Block {
	return weir.Block{
		Type: weir.BlockType(b.Type), Text: string(b.Text),
		Media: opt(b.Media, fromMedia), Reasoning: opt(b.Reasoning, fromReasoning),
		Call: opt(b.Call, fromCall), Result: opt(b.Result, fromResult),
		Citations: each(b.Citations, fromCitation), Cache: opt(b.Cache, fromCache), Opaque: opt(b.Opaque, fromOpaque),
		At: string(b.At), Extra: fromFields(b.Extra),
	}
}

func fromMedia(m *wireMedia) weir.Media {
	return weir.Media{
		MIME: string(m.MIME), Data: string(m.Data), URL: string(m.URL), FileID: string(m.FileID), Text: string(m.Text),
		Name: string(m.Name), Detail: string(m.Detail), Context: string(m.Context), ID: string(m.ID),
		Transcript: string(m.Transcript), Citations: m.Citations, Extra: fromFields(m.Extra),
	}
}

func fromReasoning(r *wireReasoning) weir.Reasoning {
	return weir.Reasoning{
		ID: string(r.ID), Format: string(r.Format), Signature: string(r.Signature), Encrypted: string(r.Encrypted),
		Summary: r.Summary, Extra: fromFields(r.Extra),
	}
}

func fromCall(c *wireCall) weir.ToolCall {
	return weir.ToolCall{
		ID: string(c.ID), Name: string(c.Name), Type: weir.ToolType(c.Type), Arguments: string(c.Arguments),
		Signature: string(c.Signature), Extra: fromFields(c.Extra),
	}
}

func fromResult(r *wireResult) weir.ToolResult {
	return weir.ToolResult{
		CallID: string(r.CallID), Name: string(r.Name), Content: each(r.Content, fromBlock), Plain: r.Plain,
		IsError: r.IsError, Extra: fromFields(r.Extra),
	}
}

func fromCitation(c *wireCitation) weir.Citation {
	return weir.Citation{
		Type: string(c.Type), URL: string(c.URL), Title: string(c.Title), Cited: string(c.Cited),
		Start: c.Start, End: c.End, Raw: c.Raw, From: weir.Protocol(c.From),
	}
}

func fromCache(c *wireCache) weir.CacheControl {
	return weir.CacheControl{TTL: string(c.TTL), Extra: fromFields(c.Extra)}
}

func fromOpaque(o *wireOpaque) weir.Opaque {
	return weir.Opaque{Protocol: weir.Protocol(o.Protocol), Type: string(o.Type), Raw: o.Raw}
}

func fromUsage(u *wireUsage) weir.Usage {
	return weir.Usage{
		InputTokens: u.Input, OutputTokens: u.Output, CacheReadTokens: u.CacheRead,
		CacheCreationTokens: u.CacheCreation, CacheCreation1h: u.CacheCreation1h, ReasoningTokens: u.Reasoning,
		AudioInputTokens: u.AudioInput, AudioOutputTokens: u.AudioOutput,
		Known: weir.UsageField(u.Known), Estimated: u.Estimated, Extra: fromFields(u.Extra), From: weir.Protocol(u.From),
	}
}
