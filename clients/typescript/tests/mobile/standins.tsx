/** What stands in for React Native and what comes with it, where App.tsx is tested. */
import type { ReactNode } from 'react'

export function Text({ children }: { children?: ReactNode }): ReactNode {
  return <p>{children}</p>
}

interface FlatListProps<Item> {
  readonly data: readonly Item[]
  keyExtractor(item: Item): string
  renderItem(info: { item: Item }): ReactNode
}

export function FlatList<Item>({ data, keyExtractor, renderItem }: FlatListProps<Item>): ReactNode {
  return (
    <ul>
      {data.map((item) => (
        <li key={keyExtractor(item)}>{renderItem({ item })}</li>
      ))}
    </ul>
  )
}
