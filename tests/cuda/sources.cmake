# The tests of the CUDA code that run on the emulated device (tests/cuda) and on a real one (tests/gpu).
set(here ${CMAKE_SOURCE_DIR}/tests/cuda)
set(DS_CUDA_TESTS ${here}/matmul_test.cpp ${here}/product_input_test.cpp ${here}/head_test.cpp ${here}/row_ops_test.cpp
    ${here}/attention_setup.cpp ${here}/attention_test.cpp ${here}/norm_rope_append_test.cpp ${here}/heads_test.cpp ${here}/keep_rows_test.cpp
    ${CMAKE_SOURCE_DIR}/tests/kernels/reference.cpp)
set(DS_CUDA_ROUND_TESTS ${here}/round_grow_test.cpp ${here}/round_decide_test.cpp ${here}/round_accept_test.cpp
    ${here}/round_publish_test.cpp ${here}/shared_round_test.cpp)
set(engine ${CMAKE_SOURCE_DIR}/tests/engine)
set(bench ${CMAKE_SOURCE_DIR}/tests/bench)
set(DS_CUDA_ENGINE_TESTS ${here}/tested_cuda.cpp ${here}/device_rounds_test.cpp ${here}/device_batch_test.cpp
    ${here}/profile_replays_test.cpp ${here}/layer_activations_test.cpp ${bench}/random_pair.cpp
    ${engine}/golden_qwen3_test.cpp ${engine}/golden_dflash_test.cpp ${engine}/golden_e2e_test.cpp
    ${engine}/lossless_test.cpp ${engine}/batch_texts_test.cpp)
set(DS_GPU_BENCH ${bench}/bench_gpu.cpp ${bench}/gpu_figures.cpp ${bench}/gpu_methods.cpp ${bench}/gpu_batch.cpp
    ${bench}/random_pair.cpp)
