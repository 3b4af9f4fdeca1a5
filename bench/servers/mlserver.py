"""The prediction on MLServer: a runtime of one's own, asked in the Open Inference Protocol.

MLSERVER_MODEL_IMPLEMENTATION=bench.servers.mlserver.Prediction mlserver start .
"""

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.errors import MLServerError
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput
from pydantic import ValidationError

from bench.servers.prediction import Sales, draw


class Prediction(MLModel):
    """Each input is a tensor of one element."""

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Validate and predict."""
        try:
            Sales.model_validate({tensor.name: _value(tensor) for tensor in payload.inputs})
        except ValidationError as error:
            raise MLServerError(str(error), 422) from error
        answer = ResponseOutput(name="prediction", shape=[1], datatype="INT64", data=[draw()])
        return InferenceResponse(model_name=self.name, outputs=[answer])


def _value(tensor: RequestInput) -> object:
    if tensor.datatype == "BYTES":
        return StringCodec.decode_input(tensor)[0]
    return tensor.data[0]
