import { useEffect, useRef, useState, type ReactNode, type Ref } from 'react'
import {
  Button,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SearchField,
  Select,
  SelectValue,
} from 'react-aria-components'
import { ask, type Asked } from '../address'
import { Chevron, Cross, Glass } from '../icons'
import { useParts } from '../parts'
import { texts, viaDid, VIAS } from '../texts'

const { filters: words } = texts

const TYPING_MS = 250
const ANY = 'any'

/** What the list is searched for. The address has it, so that it survives a reload. */
export function Filters({
  asked,
  inputRef,
}: {
  readonly asked: Asked
  readonly inputRef: Ref<HTMLInputElement>
}): ReactNode {
  const [text, setText] = useTyped(asked.q)
  return (
    <div className="filters" role="search">
      <SearchField className="search" aria-label={words.search} value={text} onChange={setText} maxLength={200}>
        <Glass />
        <Input ref={inputRef} placeholder={words.placeholder} autoComplete="off" spellCheck="false" />
        <Button className="button icon-only clear" aria-label={words.clearSearch}>
          <Cross />
        </Button>
      </SearchField>
      <Select
        className="via"
        value={asked.joinedVia || ANY}
        onChange={(via) => ask({ joinedVia: via === ANY ? '' : String(via) })}
      >
        <Label className="unseen">{words.via}</Label>
        <Button className="button plain">
          <SelectValue />
          <Chevron />
        </Button>
        <Popover className="popover">
          <ListBox className="options">
            <ListBoxItem id={ANY}>{words.anyWay}</ListBoxItem>
            {VIAS.map((via) => (
              <ListBoxItem key={via} id={via}>
                {viaDid(via)}
              </ListBoxItem>
            ))}
          </ListBox>
        </Popover>
      </Select>
    </div>
  )
}

/** What is being typed; it is asked for once the typing rests. */
function useTyped(q: string): [string, (text: string) => void] {
  const { clock } = useParts()
  const [text, setText] = useState(q)
  const asked = useRef(q)
  useEffect(() => {
    // Changed by somebody else, such as the browser's way back.
    if (q !== asked.current) setText(q)
    asked.current = q
  }, [q])
  useEffect(() => {
    if (text === asked.current) return undefined
    const timer = clock.setTimeout(() => {
      asked.current = text
      ask({ q: text })
    }, TYPING_MS)
    return () => clock.clearTimeout(timer)
  }, [text, clock])
  return [text, setText]
}
