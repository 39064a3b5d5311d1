import keras
keras.__version__
