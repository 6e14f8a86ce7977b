/** What the README shows can be typed as it stands. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import * as everything from '../../src/index.js'

const HERE = new URL('../../', import.meta.url).pathname
const README = readFileSync(join(HERE, 'README.md'), 'utf8')
mkdirSync(join(HERE, 'dist'), { recursive: true }) // which git does not look at
const folder = mkdtempSync(join(HERE, 'dist', 'readme-'))
afterAll(() => rmSync(folder, { recursive: true }))

const fences = [...README.matchAll(/^```(tsx?)\n(.*?)^```$/gms)].map(([, kind, text]) => ({ kind: kind!, text: text! }))

/** Return the rows of the table whose first column has that heading, without backticks. */
function table(heading: string): string[][] {
  const lines = README.split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`))
  const end = lines.findIndex((line, number) => number > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', ''))
      .slice(1, -1),
  )
}

test('every example has the types that it should have', () => {
  expect(fences.length).toBeGreaterThan(5)
  const files = fences.map(({ kind, text }, number) => {
    writeFileSync(join(folder, `example-${number}.${kind}`), text)
    return `example-${number}.${kind}`
  })
  const settings = { extends: '../../tests/node/tsconfig.json', include: [], files }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  const tsc = join(HERE, '../node_modules/typescript/bin/tsc')

  let said = ''
  try {
    execFileSync(process.execPath, [tsc, '--project', folder], { encoding: 'utf8' })
  } catch (error) {
    said = String((error as { stdout?: string }).stdout)
  }
  expect(said).toBe('')
})

test('what comes first takes about twenty lines', () => {
  expect(fences[0]!.text.trim().split('\n').length).toBeLessThanOrEqual(20)
})

test('the table of states has them all, and says which are final', () => {
  const states = readFileSync(join(HERE, 'src/states.ts'), 'utf8')
  const declared = [...states.matchAll(/readonly status: '(\w+)'/g)].map(([, name]) => name)

  const rows = table('`status`')

  expect(rows.map(([name]) => name)).toEqual(declared)
  const final = rows.filter(([status]) => everything.isFinal({ status } as everything.State)).map(([name]) => name)
  expect(rows.filter(([, , , remedy]) => /(?<!re)connect\(\)/.test(remedy!)).map(([name]) => name)).toEqual([
    'idle',
    ...final,
  ])
})

test('the table of options has them all', () => {
  const options = readFileSync(join(HERE, 'src/options.ts'), 'utf8')
  const declared = [...options.split('export type Settings')[0]!.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(
    ([, name]) => name,
  )

  expect(
    table('option')
      .flatMap(([name]) => name!.split(', '))
      .sort(),
  ).toEqual(declared.sort())
})
