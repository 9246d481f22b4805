import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { IMAGENET_LABELS, readLabels } from '../../../pipeline/models/labels.ts'
import { errorOf } from '../../support/broker.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** SHA-256 of index, WordNet id and synonyms of all 1000 classes, a line for each. */
const PUBLISHED = '0d0a9b5a9bc4bfe52fd0f6f8d011be77b3a8d551e3ec6d8dbb0ccaef7faeb1ce'

describe('readLabels', () => {
  let folder: string
  before(() => {
    folder = temporaryFolder()
  })

  function read(content: string | Uint8Array) {
    const file = join(folder, 'labels.txt')
    writeFileSync(file, content)
    return readLabels(file)
  }
  const namesOf = async (content: string) => (await read(content)).map(({ name }) => name)

  it('knows the classes of ImageNet as Keras does', async () => {
    const labels = await readLabels(IMAGENET_LABELS)
    expect(labels).to.have.length(1000)
    expect(labels[2]).to.deep.equal({
      wnid: 'n01484850',
      name: 'great_white_shark',
      first: 'great white shark',
      full: 'great white shark, white shark, man-eater, man-eating shark, Carcharodon carcharias',
    })
    expect(labels.at(-1)?.wnid).to.equal('n15075141')
    expect(labels.filter(({ name }) => name === 'crane')).to.have.length(2)
  })

  it('reads one label per line, commas, spaces at the ends and Windows line ends included', async () => {
    expect(await read('\ufeffNew York, USA\r\n  cat \r\nÄpfel\r\n\r\n')).to.deep.equal([
      { name: 'New_York,_USA', first: 'New York, USA', full: 'New York, USA' },
      { name: 'cat', first: 'cat', full: 'cat' },
      { name: 'Äpfel', first: 'Äpfel', full: 'Äpfel' },
    ])
  })

  it('reads the lines of synset_words.txt with their ids', async () => {
    expect(await read('n01440764 tench, Tinca tinca\nn01443537 goldfish')).to.deep.equal([
      { wnid: 'n01440764', name: 'tench', first: 'tench', full: 'tench, Tinca tinca' },
      { wnid: 'n01443537', name: 'goldfish', first: 'goldfish', full: 'goldfish' },
    ])
  })

  it('reads tables of two or three columns', async () => {
    expect(await read('# index\tid\tnames\n0\tn01440764\ttench, Tinca tinca\n')).to.deep.equal([
      { wnid: 'n01440764', name: 'tench', first: 'tench', full: 'tench, Tinca tinca' },
    ])
    expect(await namesOf('0\tcat\n1\ta dog')).to.deep.equal(['cat', 'a_dog'])
    expect(await namesOf('0\t\tcat')).to.deep.equal(['cat'])
  })

  it('reads JSON: a list, an object by index, the class_index of Keras, class_indices by name', async () => {
    expect(await namesOf('["cat", "a dog"]')).to.deep.equal(['cat', 'a_dog'])
    expect(await namesOf('{"1": "dog", "0": "cat"}')).to.deep.equal(['cat', 'dog'])
    expect(await namesOf('{"dog": 1, "cat": 0}')).to.deep.equal(['cat', 'dog'])
    expect(await read('{"0": ["n01484850", "great_white_shark"]}')).to.deep.equal([
      { wnid: 'n01484850', name: 'great_white_shark', first: 'great white shark', full: 'great white shark' },
    ])
  })

  const wrong: Record<string, [content: string | Uint8Array, what: string]> = {
    'an empty file': ['', 'holds no labels'],
    'an empty list': ['[]', 'holds no labels'],
    'an empty line between others': ['cat\n\ndog', 'has an empty label at index 1'],
    'a table with a gap': ['0\tcat\n2\tdog', 'has the index "2" where 1 should come'],
    'an object with a gap': ['{"0": "cat", "2": "dog"}', 'has 2 labels, but none for index 1'],
    'the same index twice': ['{"cat": 0, "dog": 0}', 'has 2 labels, but none for index 1'],
    'a number in a list': ['["cat", 7]', 'has something at index 1 that is neither'],
    'broken JSON': ['["cat"', 'is no valid JSON'],
    'a picture': [Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), 'is no text in UTF-8'],
    'a label without end': ['x'.repeat(501), 'has a label of more than 500 characters at index 0'],
    'too many labels': ['x\n'.repeat(100_001), 'holds 100001 labels, the limit is 100000'],
    'too many bytes': [' '.repeat(8 * 2 ** 20 + 1), 'has 8388609 bytes, the limit is 8388608'],
  }
  for (const [title, [content, what]] of Object.entries(wrong)) {
    it(`refuses ${title}`, async () => {
      const error = await errorOf(read(content))
      expect(error.code).to.equal('ERR_MODEL_SETTINGS')
      expect(error.message).to.contain(`The labels file labels.txt ${what}`)
    })
  }

  it('refuses a file that is not there, and a folder', async () => {
    const missing = await errorOf(readLabels(join(folder, 'none.txt')))
    expect(missing.message).to.equal('The labels file none.txt cannot be read (ENOENT).')
    mkdirSync(join(folder, 'folder'))
    expect((await errorOf(readLabels(join(folder, 'folder')))).message).to.contain('is no file')
  })
})

describe('the labels of ImageNet', () => {
  it('are the published facts', () => {
    const facts = readFileSync(IMAGENET_LABELS, 'utf8').split('\n').slice(1).join('\n')
    expect(createHash('sha256').update(facts).digest('hex')).to.equal(PUBLISHED)
  })
})
