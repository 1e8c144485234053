# SPDX-License-Identifier: Apache-2.0
"""The LayoutLM tagger: learns the CRF's roles from labelled pages, ships as int8 ONNX.

python -m training.layoutlm train --out build/layoutlm.pt       hours on one core, minutes on a GPU
python -m training.layoutlm ship --state build/layoutlm.pt      int8 ONNX into models/, manifest
python -m training.layoutlm tune --models DIR --dataset SET/train --state build/tune.pt     minutes
python -m training.layoutlm compare                             beside the CRF, held-out families
"""
