import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'chai'
import { RecentMap } from '../../../lib/cache/recent-map.ts'

describe('RecentMap', () => {
  const keys = 'abcdefgh'.split('')
  const kept = <Value>(map: RecentMap<Value>) => keys.filter((key) => map.has(key)).join('')

  it('drops the entry that was not read or set for the longest time where it has `max` entries', () => {
    const map = new RecentMap<number>({ max: 3 })
    for (const [at, key] of ['a', 'b', 'c'].entries()) map.set(key, at)
    map.get('a')
    map.set('b', 7)
    map.set('d', 3)
    expect(kept(map)).to.equal('abd')
    expect(map.size).to.equal(3)
    expect(map.get('b')).to.equal(7)
  })

  it('does not count a peek as a use', () => {
    const map = new RecentMap<number>({ max: 2 })
    map.set('a', 1)
    map.set('b', 2)
    expect(map.peek('a')).to.equal(1)
    map.set('c', 3)
    expect(kept(map)).to.equal('bc')
  })

  it('drops as many entries as a new one needs where their sizes reach `maxSize`', () => {
    const map = new RecentMap<string>({ maxSize: 10, sizeOf: (text) => text.length })
    map.set('a', '1234')
    map.set('b', '1234')
    map.set('c', '12')
    expect(kept(map)).to.equal('abc')
    map.set('d', '12345')
    expect(kept(map)).to.equal('cd')
    map.set('d', '1')
    map.set('e', '1234567')
    expect(kept(map)).to.equal('cde')
  })

  it('does not keep an entry that is larger than `maxSize`, and drops no other for it', () => {
    const map = new RecentMap<string>({ maxSize: 5, sizeOf: (text) => text.length })
    map.set('a', '123')
    map.set('b', '123456')
    expect(kept(map)).to.equal('a')
    map.set('a', '123456')
    expect(kept(map)).to.equal('')
  })

  it('drops entries by their age, however often they are read', async () => {
    const gone: number[] = []
    const map = new RecentMap<number>({ ttlMs: 60, removed: (value) => void gone.push(value) })
    map.set('a', 1)
    map.set('b', 2)
    while (map.get('a') !== undefined) await delay(5)
    map.set('c', 3)
    while (gone.length < 3) await delay(5)
    expect(gone).to.deep.equal([1, 2, 3])
    expect(map.size).to.equal(0)
  })

  it('counts the age from the last time that the entry was set', async () => {
    const map = new RecentMap<number>({ ttlMs: 200 })
    map.set('a', 1)
    map.set('b', 1)
    await delay(100)
    map.set('a', 2)
    while (map.has('b')) await delay(1)
    expect(map.get('a')).to.equal(2)
  })

  it('tells which values are removed or replaced', () => {
    const gone: string[] = []
    const map = new RecentMap<string>({ max: 2, removed: (value) => void gone.push(value) })
    for (const [key, value] of ['a1', 'a2', 'b3', 'c4'].map((pair) => [...pair] as [string, string])) {
      map.set(key, value)
    }
    expect(gone).to.deep.equal(['1', '2'])
    map.clear()
    expect(gone).to.deep.equal(['1', '2', '3', '4'])
    expect(map.size).to.equal(0)
  })
})
