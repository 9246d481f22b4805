import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { runCommand } from '../../support/command.ts'
import { fixture } from '../../support/service.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('tandem predict', () => {
  let folder: string
  const file = (name: string) => join(folder, name)
  const predict = (args: string[], env: Record<string, string> = {}, input = '') =>
    runCommand(
      'predict',
      args,
      { PIPELINE: fixture('guesses.ts'), MODELS: 'cats,dogs=./d.onnx', ...env },
      input,
    )

  before(() => {
    folder = temporaryFolder()
    for (const name of ['cat', 'tiger cat', 'broken', 'odd']) writeFileSync(file(`${name}.png`), name)
    writeFileSync(file('a[1]*.jpg'), 'literal')
    writeFileSync(file('.hidden.png'), 'hidden')
    mkdirSync(file('folder'))
  })

  it('shows a table with bars', async () => {
    const { code, stdout, stderr } = await predict([file('tiger cat.png')])
    expect({ code, stdout }).to.deep.equal({
      code: 0,
      stdout: [
        `${file('tiger cat.png')} (cats)`,
        '  tiger cat        ██████████████████        75.0 %',
        '  not tiger cat 1  ███                       12.5 %',
        '  not tiger cat 2  █▌                         6.3 %',
        '',
      ].join('\n'),
    })
    // No progress where there is no terminal.
    expect(stderr).to.equal('')
  })

  it('shows as many guesses as --top says, from the model that --model names', async () => {
    const { code, stdout } = await predict(['--top=1', file('cat.png'), '--model', 'dogs'])
    expect(code).to.equal(0)
    expect(stdout.split('\n')).to.have.length(3)
    expect(stdout).to.contain('(dogs)\n  cat  ')
  })

  it('writes a line of JSON for each file, in their order, and ends with 1 when one failed', async () => {
    const files = ['tiger cat', 'broken', 'none', 'cat'].map((name) => file(`${name}.png`))
    const { code, stdout, stderr } = await predict(['--ndjson', '--top', '1', ...files])
    const lines = stdout.trimEnd().split('\n')
    expect(code).to.equal(1)
    expect(lines.map((line) => JSON.parse(line))).to.deep.equal([
      { file: files[0], model: 'cats', predictions: [guess('tiger cat')] },
      {
        file: files[1],
        model: 'cats',
        error: { code: 'ERR_IMAGE_DECODE', message: 'The bytes are no image.' },
      },
      { file: files[2], model: 'cats', error: { code: 'ERR_FILE', message: 'there is no such file' } },
      { file: files[3], model: 'cats', predictions: [guess('cat')] },
    ])
    expect(stderr).to.contain(`${files[1]}: The bytes are no image.\n${files[2]}: there is no such file\n`)

    function guess(label: string) {
      return { label, name: label.replaceAll(' ', '_'), wnid: 'n02123045', probability: 0.75 }
    }
  })

  it('finds the files that match a pattern, except hidden files', async () => {
    const { stdout, stderr } = await predict([file('*c?t.png'), file('a[1]*.jpg'), file('*.gif'), '--ndjson'])
    const names = stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { file: string }).file)
    expect(names).to.deep.equal(['cat.png', 'tiger cat.png', 'a[1]*.jpg', '*.gif'].map(file))
    expect(stderr).to.contain('no file matches')
    expect((await predict([file('*en.png')])).stdout).to.equal('')
  })

  it('reads no file above the limit', async () => {
    const { code, stderr } = await predict([file('tiger cat.png'), '--max-body-bytes', '5'])
    expect(code).to.equal(1)
    expect(stderr).to.contain('the file has 9 bytes, but MAX_BODY_BYTES is 5\n')
  })

  it('writes one array of JSON, and records of CSV', async () => {
    const json = await predict(['--json', '--top', '1', file('cat.png'), file('none.png')])
    const results = JSON.parse(json.stdout) as { file: string; error?: { code: string } }[]
    expect(results.map(({ file, error }) => [file, error?.code])).to.deep.equal([
      [file('cat.png'), undefined],
      [file('none.png'), 'ERR_FILE'],
    ])
    const csv = await predict(['--csv', '--threshold', '0.1', file('cat.png'), file('none.png')])
    expect(csv.stdout.split('\r\n')).to.deep.equal([
      'file,model,rank,label,name,wnid,probability,error',
      `${file('cat.png')},cats,1,cat,cat,n02123045,0.75,`,
      `${file('cat.png')},cats,2,not cat 1,cat,n02123045,0.125,`,
      `${file('none.png')},cats,,,,,,there is no such file`,
      '',
    ])
  })

  it('reads standard input and the pictures in a folder', async () => {
    writeFileSync(join(folder, 'folder', 'b.jpg'), 'b')
    writeFileSync(join(folder, 'folder', 'a.txt'), 'no picture')
    mkdirSync(join(folder, 'folder', 'inside'), { recursive: true })
    writeFileSync(join(folder, 'folder', 'inside', 'c.png'), 'c')
    const { stdout } = await predict(['--ndjson', '-', file('folder')], {}, 'from a pipe')
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ file }) => file)).to.deep.equal([
      '-',
      file('folder/b.jpg'),
      file('folder/inside/c.png'),
    ])
    expect(lines[0].predictions[0].label).to.equal('from a pipe')
  })

  it('shows an answer without guesses as JSON', async () => {
    expect((await predict([file('odd.png')])).stdout).to.contain('(cats)\n  {"odd":true}\n')
  })

  it('predicts more files than the queue holds', async () => {
    const files = Array.from({ length: 40 }, () => file('cat.png'))
    const { code, stdout } = await predict([...files, '--ndjson', '--max-queue', '4', '--max-batch', '4'])
    expect(code).to.equal(0)
    expect(stdout.trimEnd().split('\n')).to.have.length(40)
  })

  it('ends with 3 and one sentence when the model cannot be loaded', async () => {
    const { code, stdout, stderr } = await predict([file('cat.png')], {
      PIPELINE: fixture('cannot-start.ts'),
    })
    expect({ code, stdout, stderr }).to.deep.equal({
      code: 3,
      stdout: '',
      stderr: 'There is no file vgg16.h5.\n',
    })
  })

  const wrong: [args: string[], message: RegExp][] = [
    [[], /^A picture must be named, such as: tandem predict photo\.jpg/],
    [['a.png', '--top', '0'], /^--top must be a whole number from 1 to 1000, but is "0"\.$/m],
    [['a.png', '--model', '--json'], /^--model must have a value, but has none\.$/m],
    [['a.png', '--model', 'A,b'], /^--model must be a name, name=path or a path, but is "A,b"\.$/m],
    [['a.png', '--json', '--csv'], /^Only one of --json and --csv can be given\.$/m],
    [['a.png', '--threshold', '2'], /^--threshold must be a number from 0 to 1, but is "2"\.$/m],
    [['a.png', '--json=1'], /^--json takes no value, but has "1"\.$/m],
    [['a.png', '--weights-dri=x'], /^There is no flag --weights-dri; did you mean --weights-dir\?$/m],
  ]
  for (const [args, message] of wrong) {
    it(`ends with 2 and one sentence over "${args.join(' ')}"`, async () => {
      const { code, stderr } = await predict(args)
      expect(code).to.equal(2)
      expect(stderr).to.match(message)
    })
  }

  it('--help says how it is used', async () => {
    const { code, stdout } = await predict(['--help'])
    expect(code).to.equal(0)
    expect(stdout).to.match(/^tandem predict photo\.jpg/)
    expect(stdout).to.contain('--threshold P').and.contain('Examples')
  })
})
