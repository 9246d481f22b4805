import type { DialectModels } from '../dialects/dialect-models.ts'

export interface DialectExample {
  readonly title: string
  readonly says: string
  readonly model: string
  /** `$URL` stands for the address of the service */
  readonly command: string
  readonly answer: string
}

/** One example of each way to ask, with the model that answers it here. */
export function dialectExamples(models: DialectModels): readonly DialectExample[] {
  return [
    {
      title: 'tornado-compute',
      says: 'A picture as it is, in a form, or its address; guesses with their timing. Tandem itself speaks so for every model.',
      model: models.vgg,
      command: 'curl --data-binary @photo.jpg $URL/vgg',
      answer: '{"model":…,"predictions":[{"label":"tabby","probability":0.53,…},…],"timing":{"total":71,…}}',
    },
    {
      title: 'vision-service',
      says: 'A form with the file “image”; names as Keras has them.',
      model: models.api,
      command: 'curl -F image=@photo.jpg $URL/api/predict',
      answer: '{"success":true,"message":{"predictions":[{"label":"tabby","proba":0.53},…],…}}',
    },
    {
      title: 'img_pipeline',
      says: 'Many addresses at once; the classes that the model is sure of.',
      model: models.infer,
      command: `curl -d '{"images":["https://example.com/panda.jpg"]}' $URL/api/infer`,
      answer: '{"results":[{"url":…,"classes":[{"class":"giant panda","confidence":0.89}]}]}',
    },
    {
      title: 'deeplearning_flask',
      says: 'A handwritten digit; ten probabilities in the order of the classes.',
      model: models.digits,
      command: 'curl -F image=@seven.png $URL/predictlabel',
      answer: '{"most_probable_label":"7","predictions":[{"label":"0","probability":"1.39e-08"},…],…}',
    },
    {
      title: 'image_classifier',
      says: 'A form with the file “file”; the best guess alone. Where no key is wanted, the form on this page speaks it too.',
      model: models.predict,
      command: 'curl -F file=@photo.jpg $URL/predict',
      answer: '{"prediction":"Eskimo_dog","score":0.9346,"success":true}',
    },
  ]
}
