/** The vectors of clients/conformance, as docs/conformance.md describes them. */
import backoffFile from '../../../conformance/backoff.json' with { type: 'json' }
import framesFile from '../../../conformance/frames.json' with { type: 'json' }
import resumeFile from '../../../conformance/resume.json' with { type: 'json' }
import verdictsFile from '../../../conformance/verdicts.json' with { type: 'json' }
import type { Verdict } from '../../src/index.js'

export interface Case {
  readonly name: string
  readonly text: string
  readonly is: string
  readonly members?: Readonly<Record<string, unknown>>
}

export interface Range {
  readonly from: number
  readonly to: number
  readonly verdict: Verdict
}

export interface Wait {
  readonly attempt: number
  readonly random: number
  readonly least_ms: number
  readonly wait_ms: number
}

export type Step =
  | { readonly ready: { readonly every_seconds?: number; readonly answer_within_seconds?: number } }
  | { readonly send: string | object }
  | { readonly send_text: string }
  | { readonly receive: { readonly type: string; readonly token?: number } }
  | { readonly pass_ms: number }
  | { readonly close: number }
  | { readonly drop: true }
  | { readonly silence: true }
  | { readonly refuse: number; readonly retry_after?: number }

export interface Socket {
  /** The event whose id is the place; null: none. */
  readonly after: string | null
  readonly token: number
  readonly wait_ms?: number
  readonly or_wait_ms?: number
  readonly within_ms?: number
  readonly steps: readonly Step[]
}

export interface Script {
  readonly name: string
  readonly needs?: 'statuses'
  readonly random?: number
  readonly renewals?: readonly ('works' | 'fails' | 'refused')[]
  readonly sockets: readonly Socket[]
  readonly ends: 'live' | 'expired' | 'forbidden' | 'closed'
  readonly shown: readonly string[]
  readonly reads_list?: number
}

interface Scripts {
  readonly events: Readonly<Record<string, { readonly id: string }>>
  readonly scripts: readonly Script[]
}

export const frames: { readonly cases: readonly Case[] } = framesFile
export const backoff: { readonly stable_after_ms: number; readonly waits: readonly Wait[] } = backoffFile
// JSON has strings where these have unions of them.
export const verdicts = verdictsFile as { no_code: Verdict; close_codes: Range[]; statuses: Range[] }
export const resume = resumeFile as unknown as Scripts
