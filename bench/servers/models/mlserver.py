"""The pipeline on MLServer: a runtime of one's own, with its adaptive batching.

MODEL=sales.skops MLSERVER_MODEL_IMPLEMENTATION=bench.servers.models.mlserver.Prediction \
    MLSERVER_MODEL_MAX_BATCH_SIZE=32 MLSERVER_MODEL_MAX_BATCH_TIME=0.01 mlserver start .
"""

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.errors import MLServerError
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput
from pydantic import ValidationError

from bench.servers.models.pipeline import Pipeline
from bench.servers.prediction import Sales


class Prediction(MLModel):
    """Each input is a tensor with an element for each row."""

    async def load(self) -> bool:
        """Load the model."""
        self._pipeline = Pipeline()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Validate and predict as many rows as MLServer has put together."""
        columns = {tensor.name: _values(tensor) for tensor in payload.inputs}
        try:
            rows = [
                Sales.model_validate(dict(zip(columns, values, strict=True)))
                for values in zip(*columns.values(), strict=True)
            ]
        except ValidationError as error:
            raise MLServerError(str(error), 422) from error
        predicted = self._pipeline.predict(rows)
        output = ResponseOutput(
            name="prediction", shape=[len(predicted), 1], datatype="INT64", data=predicted
        )
        return InferenceResponse(model_name=self.name, outputs=[output])


def _values(tensor: RequestInput) -> list[object]:
    if tensor.datatype == "BYTES":
        return list(StringCodec.decode_input(tensor))
    return list(tensor.data)
