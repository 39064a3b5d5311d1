import tf_keras
tf_keras.__version__
