// What versions 2 and 3 of oneDNN do not have in common, behind functions that both have: memory layouts were structs and
// became opaque, descriptions of operations are no longer made in two steps, and fused operations lost their scales.
#ifndef DEEPFGS_ONEDNN_LAYOUTS_H
#define DEEPFGS_ONEDNN_LAYOUTS_H

#include <dnnl.h>
#include <stdlib.h>

#if DNNL_VERSION_MAJOR >= 3
#define DEEPFGS_ONEDNN_3 1
#else
#define DEEPFGS_ONEDNN_3 0
#endif

// How a tensor lies in memory. `deepfgs_layout_create` makes one that `deepfgs_layout_destroy` ends; those that are asked
// of a primitive or of memory belong to it.
#if DEEPFGS_ONEDNN_3
typedef dnnl_memory_desc_t deepfgs_layout_t;
#else
typedef dnnl_memory_desc_t *deepfgs_layout_t;
#endif

static inline dnnl_status_t deepfgs_layout_create(deepfgs_layout_t *layout, int count, const dnnl_dim_t *sizes,
                                                  dnnl_data_type_t type, dnnl_format_tag_t tag)
{
#if DEEPFGS_ONEDNN_3
    return dnnl_memory_desc_create_with_tag(layout, count, sizes, type, tag);
#else
    *layout = malloc(sizeof **layout);
    if (!*layout)
        return dnnl_out_of_memory;
    const dnnl_status_t status = dnnl_memory_desc_init_by_tag(*layout, count, sizes, type, tag);
    if (status != dnnl_success) {
        free(*layout);
        *layout = NULL;
    }
    return status;
#endif
}

static inline void deepfgs_layout_destroy(deepfgs_layout_t layout)
{
#if DEEPFGS_ONEDNN_3
    dnnl_memory_desc_destroy(layout);
#else
    free(layout);
#endif
}

static inline size_t deepfgs_layout_size(deepfgs_layout_t layout) { return dnnl_memory_desc_get_size(layout); }

static inline int deepfgs_layout_equal(deepfgs_layout_t a, deepfgs_layout_t b) { return dnnl_memory_desc_equal(a, b); }

// NULL where the primitive has none.
static inline deepfgs_layout_t deepfgs_primitive_layout(dnnl_primitive_desc_t primitive, dnnl_query_t what)
{
    return (deepfgs_layout_t)dnnl_primitive_desc_query_md(primitive, what, 0);
}

static inline dnnl_status_t deepfgs_memory_layout(dnnl_memory_t memory, deepfgs_layout_t *layout)
{
#if DEEPFGS_ONEDNN_3
    const_dnnl_memory_desc_t found = NULL;
#else
    const dnnl_memory_desc_t *found = NULL;
#endif
    const dnnl_status_t status = dnnl_memory_get_memory_desc(memory, &found);
    *layout = (deepfgs_layout_t)found;
    return status;
}

// Memory of a layout, without numbers yet.
static inline dnnl_status_t deepfgs_memory_create(dnnl_memory_t *memory, deepfgs_layout_t layout, dnnl_engine_t engine)
{
    return dnnl_memory_create(memory, layout, engine, DNNL_MEMORY_NONE);
}

// A forward convolution over images. Direct, never Winograd: the order of sums is then that of the definition.
static inline dnnl_status_t deepfgs_convolution_create(dnnl_primitive_desc_t *primitive, dnnl_engine_t engine,
                                                       deepfgs_layout_t source, deepfgs_layout_t weights,
                                                       deepfgs_layout_t bias, deepfgs_layout_t target,
                                                       const dnnl_dim_t *strides, const dnnl_dim_t *before,
                                                       const dnnl_dim_t *after, dnnl_primitive_attr_t attributes)
{
#if DEEPFGS_ONEDNN_3
    const dnnl_dim_t dilations[2] = {0, 0};
    return dnnl_convolution_forward_primitive_desc_create(primitive, engine, dnnl_forward_inference,
                                                          dnnl_convolution_direct, source, weights, bias, target,
                                                          strides, dilations, before, after, attributes);
#else
    dnnl_convolution_desc_t description;
    const dnnl_status_t status =
        dnnl_convolution_forward_desc_init(&description, dnnl_forward_inference, dnnl_convolution_direct, source,
                                           weights, bias, target, strides, before, after);
    return status == dnnl_success ? dnnl_primitive_desc_create(primitive, &description, attributes, engine, NULL)
                                  : status;
#endif
}

static inline dnnl_status_t deepfgs_reorder_create(dnnl_primitive_desc_t *primitive, dnnl_engine_t engine,
                                                   deepfgs_layout_t from, deepfgs_layout_t to)
{
    return dnnl_reorder_primitive_desc_create(primitive, from, engine, to, engine, NULL);
}

// Adds the result to what the target holds.
static inline dnnl_status_t deepfgs_append_sum(dnnl_post_ops_t operations)
{
#if DEEPFGS_ONEDNN_3
    return dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef);
#else
    return dnnl_post_ops_append_sum(operations, 1);
#endif
}

static inline dnnl_status_t deepfgs_append_leaky_relu(dnnl_post_ops_t operations, float slope)
{
#if DEEPFGS_ONEDNN_3
    return dnnl_post_ops_append_eltwise(operations, dnnl_eltwise_relu, slope, 0);
#else
    return dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, slope, 0);
#endif
}

#endif
