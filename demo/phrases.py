"""The office language of the made-up documents: subjects, bodies and recipients by type of document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of document and how it speaks.

    Attributes:
        name: tên loại.
        code: its part of the notation; a State công văn (``Công văn`` of a State organ) has none.
        subjects: templates with ``{topic}``, ``{year}``, ``{next}``, ``{district}``, ``{quarter}``.
        opening: first paragraph, with ``{organ}``, ``{topic}``, ``{year}``.
        closing: last paragraph.
    """

    name: str
    code: str
    subjects: tuple[str, ...]
    opening: str
    closing: str


KINDS: dict[str, Kind] = {
    "NQ": Kind(
        "Nghị quyết",
        "NQ",
        (
            "về {topic} giai đoạn {year}-{next}",
            "về {topic} trên địa bàn tỉnh",
            "về nhiệm vụ {topic} năm {year}",
        ),
        "Căn cứ Điều lệ Đảng và chương trình làm việc toàn khóa, {organ} ban hành Nghị quyết về {topic} "
        "với những "
        "nội dung sau:",
        "Nghị quyết này được phổ biến đến chi bộ để quán triệt và thực hiện.",
    ),
    "QĐ": Kind(
        "Quyết định",
        "QĐ",
        (
            "về việc thành lập Ban Chỉ đạo {topic}",
            "về việc kiện toàn Tổ công tác {topic}",
            "về việc phê duyệt Đề án {topic} trên địa bàn huyện {district}",
            "về việc giao chỉ tiêu {topic} năm {year}",
        ),
        "Xét đề nghị của cơ quan tham mưu về {topic}, {organ} quyết định:",
        "Các cơ quan, đơn vị và cá nhân có liên quan căn cứ Quyết định thi hành. Quyết định có hiệu lực "
        "kể từ ngày ký.",
    ),
    "QyĐ": Kind(
        "Quy định",
        "QĐ",
        ("về trách nhiệm của người đứng đầu trong {topic}", "về chế độ thông tin, báo cáo đối với {topic}"),
        "Để thống nhất trong lãnh đạo, chỉ đạo {topic}, {organ} quy định như sau:",
        "Quy định này có hiệu lực từ ngày ký và thay thế các quy định trước đây trái với Quy định này.",
    ),
    "CT": Kind(
        "Chỉ thị",
        "CT",
        ("về {topic}", "về việc tiếp tục đẩy mạnh {topic}", "về tập trung lãnh đạo {topic} năm {year}"),
        "Thời gian qua, {topic} đã đạt được những kết quả bước đầu; tuy nhiên vẫn còn hạn chế, thiếu "
        "đồng bộ. "
        "{organ} yêu cầu:",
        "Chỉ thị này được phổ biến đến chi bộ.",
    ),
    "KL": Kind(
        "Kết luận",
        "KL",
        ("về {topic}", "về sơ kết 3 năm thực hiện {topic}", "về một số giải pháp {topic} đến năm {next}"),
        "Sau khi nghe báo cáo và thảo luận về {topic}, {organ} kết luận:",
        "Giao Văn phòng theo dõi, đôn đốc việc thực hiện Kết luận và định kỳ báo cáo.",
    ),
    "BC": Kind(
        "Báo cáo",
        "BC",
        (
            "kết quả {topic} quý {quarter} năm {year}",
            "tình hình thực hiện {topic} năm {year}",
            "tổng kết 5 năm thực hiện {topic}",
        ),
        "Thực hiện chương trình công tác năm {year}, {organ} báo cáo kết quả {topic} như sau:",
        "Trên đây là báo cáo kết quả thực hiện; kính trình cấp có thẩm quyền xem xét, cho ý kiến chỉ đạo.",
    ),
    "CV": Kind(
        "Công văn",
        "CV",
        (
            "V/v báo cáo kết quả {topic} quý {quarter} năm {year}",
            "V/v góp ý dự thảo Nghị quyết về {topic}",
            "V/v cử cán bộ tham dự hội nghị tập huấn về {topic}",
            "V/v đôn đốc thực hiện {topic} trên địa bàn huyện {district}",
        ),
        "Để kịp thời phục vụ việc chỉ đạo {topic}, {organ} đề nghị các cơ quan, đơn vị thực hiện một số "
        "nội dung sau:",
        "Đề nghị các cơ quan, đơn vị quan tâm phối hợp thực hiện.",
    ),
    "TB": Kind(
        "Thông báo",
        "TB",
        (
            "kết luận của Thường trực Tỉnh ủy về {topic}",
            "phân công nhiệm vụ {topic} năm {year}",
            "kết quả hội nghị giao ban quý {quarter} năm {year} về {topic}",
        ),
        "Tại cuộc họp về {topic}, sau khi nghe ý kiến của các thành viên dự họp, {organ} thông báo:",
        "Thông báo để các cơ quan, đơn vị biết và thực hiện.",
    ),
    "KH": Kind(
        "Kế hoạch",
        "KH",
        (
            "{topic} năm {year}",
            "kiểm tra việc thực hiện {topic} tại huyện {district}",
            "triển khai thực hiện nghị quyết về {topic}",
        ),
        "Để tổ chức thực hiện có hiệu quả {topic}, {organ} xây dựng kế hoạch với các nội dung chủ yếu sau:",
        "Trong quá trình thực hiện, nếu có khó khăn, vướng mắc, các đơn vị phản ánh để kịp thời điều chỉnh.",
    ),
    "TTr": Kind(
        "Tờ trình",
        "TTr",
        ("về việc đề nghị phê duyệt Đề án {topic}", "về việc bổ sung kinh phí {topic} năm {year}"),
        "Trên cơ sở rà soát, đánh giá thực trạng {topic}, {organ} kính trình xem xét các nội dung sau:",
        "Kính trình cấp có thẩm quyền xem xét, quyết định.",
    ),
    "HD": Kind(
        "Hướng dẫn",
        "HD",
        ("thực hiện một số nội dung về {topic}", "công tác tuyên truyền {topic} năm {year}"),
        "Để thống nhất việc tổ chức thực hiện {topic}, {organ} hướng dẫn một số nội dung như sau:",
        "Đề nghị các cấp ủy, cơ quan, đơn vị tổ chức thực hiện theo Hướng dẫn này.",
    ),
    "CTr": Kind(
        "Chương trình",
        "CTr",
        ("hành động thực hiện nghị quyết về {topic}", "công tác trọng tâm năm {year} về {topic}"),
        "Nhằm cụ thể hóa các chủ trương về {topic}, {organ} ban hành Chương trình với những nhiệm vụ sau:",
        "Định kỳ hằng năm, các cơ quan được giao nhiệm vụ báo cáo kết quả thực hiện Chương trình.",
    ),
}
"""By our own key; ``QyĐ`` keeps Quy định apart from Quyết định, whose code it shares in Party documents."""

KINDS_OF_COMMITTEE = ("NQ", "QĐ", "QyĐ", "CT", "KL", "CV", "CV", "TB", "BC", "KH", "CTr", "TTr")
KINDS_OF_PARTY_ORGAN = ("CV", "CV", "CV", "BC", "BC", "TB", "KH", "TTr", "HD", "QĐ")
KINDS_OF_STATE_ORGAN = ("CV", "CV", "BC", "BC", "QĐ", "KH", "TTr", "TB")

UNITS_OF_STATE_ORGAN = ("TH", "KTTH", "VX", "NC", "VP")
"""Units that follow the organ in the notation of a State công văn (``455/UBND-KTTH``)."""

TOPICS = (
    "phát triển kinh tế tập thể gắn với xây dựng nông thôn mới",
    "nâng cao chất lượng sinh hoạt chi bộ",
    "công tác cải cách hành chính trong các cơ quan đảng",
    "công tác bảo vệ và phát triển rừng",
    "phòng, chống thiên tai và tìm kiếm cứu nạn",
    "công tác phát triển đảng viên trong doanh nghiệp",
    "công tác dân vận của hệ thống chính trị",
    "bảo đảm trật tự, an toàn giao thông",
    "đào tạo, bồi dưỡng cán bộ lãnh đạo, quản lý các cấp",
    "giảm nghèo bền vững ở vùng đồng bào dân tộc thiểu số",
    "ứng dụng công nghệ thông tin trong hoạt động của cơ quan đảng",
    "công tác lưu trữ và số hóa tài liệu",
    "phòng, chống dịch bệnh trên đàn gia súc, gia cầm",
    "thực hành tiết kiệm, chống lãng phí",
    "công tác khuyến học, khuyến tài, xây dựng xã hội học tập",
    "xây dựng đời sống văn hóa ở khu dân cư",
    "công tác quản lý đất đai và giải phóng mặt bằng",
    "thực hiện quy chế dân chủ ở cơ sở",
    "công tác tiếp công dân, giải quyết khiếu nại, tố cáo",
    "phát triển giáo dục mầm non ở địa bàn khó khăn",
    "công tác quốc phòng, quân sự địa phương",
    "bảo vệ môi trường và quản lý chất thải rắn sinh hoạt",
    "chăm sóc sức khỏe ban đầu cho nhân dân",
    "công tác kiểm tra, giám sát và thi hành kỷ luật đảng",
)

TASKS = (
    "Các cấp ủy, tổ chức đảng quán triệt sâu rộng, nâng cao nhận thức và trách nhiệm của cán bộ, đảng "
    "viên, trước hết "
    "là người đứng đầu.",
    "Rà soát, bổ sung quy chế phối hợp giữa các cơ quan; phân công rõ người, rõ việc, rõ thời gian hoàn "
    "thành.",
    "Ủy ban nhân dân các cấp bố trí nguồn lực, lồng ghép các chương trình, dự án trên địa bàn để tổ "
    "chức thực hiện.",
    "Mặt trận Tổ quốc và các đoàn thể chính trị - xã hội đẩy mạnh tuyên truyền, vận động đoàn viên, hội "
    "viên và nhân "
    "dân tham gia.",
    "Tăng cường kiểm tra, giám sát ở cơ sở; kịp thời biểu dương tập thể, cá nhân làm tốt và chấn chỉnh "
    "nơi làm chưa tốt.",
    "Đến nay, 85% số xã, phường, thị trấn đã hoàn thành kế hoạch; các đơn vị còn lại phấn đấu hoàn "
    "thành trong quý tới.",
    "Một số nơi còn lúng túng trong tổ chức thực hiện, chế độ thông tin, báo cáo chưa kịp thời, số liệu "
    "chưa thống nhất.",
    "Giao Văn phòng chủ trì, phối hợp với các ban tham mưu theo dõi, tổng hợp, định kỳ hằng quý báo cáo "
    "cấp ủy.",
    "Sở Tài chính tham mưu cân đối kinh phí theo phân cấp ngân sách, bảo đảm sử dụng đúng mục đích, "
    "tiết kiệm, hiệu quả.",
    "Huyện ủy, thị ủy, thành ủy chọn từ một đến hai đơn vị làm điểm, rút kinh nghiệm trước khi triển "
    "khai ra diện rộng.",
    "Nâng cao chất lượng tham mưu; thực hiện nghiêm chế độ gửi, nhận văn bản trên mạng thông tin diện "
    "rộng của Đảng.",
    "Đưa kết quả thực hiện vào nội dung đánh giá, xếp loại tổ chức đảng và đảng viên cuối năm.",
)

RECIPIENTS_OF_PARTY = (
    (
        "Các huyện ủy, thị ủy, thành ủy",
        "Các đảng ủy trực thuộc",
        "Các ban đảng Tỉnh ủy",
        "Các đồng chí Tỉnh ủy viên",
    ),
    ("Thường trực Tỉnh ủy", "Các cơ quan tham mưu, giúp việc Tỉnh ủy", "Đảng ủy khối các cơ quan tỉnh"),
    ("Ban cán sự đảng Ủy ban nhân dân tỉnh", "Huyện ủy Lâm Giang", "Thành ủy Giang An"),
)
RECIPIENTS_OF_STATE = (
    (
        "Thường trực Tỉnh ủy",
        "Thường trực Hội đồng nhân dân tỉnh",
        "Các sở, ban, ngành",
        "UBND các huyện, thị xã",
    ),
    ("Văn phòng Tỉnh ủy", "Sở Tài chính", "Sở Nội vụ"),
)

OPINIONS = (
    "Chuyển Văn phòng nghiên cứu, tham mưu Thường trực trước ngày họp giao ban.",
    "Giao Phòng Tổng hợp chủ trì, phối hợp Phòng Cơ yếu - Công nghệ thông tin thực hiện.",
    "Đồng ý với đề xuất. Văn phòng dự thảo văn bản trả lời.",
    "Lưu hồ sơ, theo dõi kết quả thực hiện của các đơn vị.",
    "Kính chuyển đồng chí Phó Bí thư cho ý kiến chỉ đạo.",
    "Sao gửi các ban đảng để phối hợp thực hiện.",
)
